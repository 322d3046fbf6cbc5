"""The palette: every page, service, website and own order, a few letters away from the keyboard."""
