"""How dates and times are written, where we differ from Django; see FORMAT_MODULE_PATH."""
