"""How customers find a service: lists, search, filters, pages."""
