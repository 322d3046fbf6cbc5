"""What the shop's face means to the parts of it that are not ours: the admin's theme, Django's choice of a language."""
