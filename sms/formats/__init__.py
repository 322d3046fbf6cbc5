"""How phone numbers and countries are written."""
