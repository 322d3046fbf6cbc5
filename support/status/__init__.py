"""How the shop is doing, as everybody may read it: measured every few minutes, and told by staff."""
