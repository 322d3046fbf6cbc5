"""Measurements of the parts whose speed matters. README.md says how to run them."""
