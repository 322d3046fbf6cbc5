"""How customers join, and who referred them."""
