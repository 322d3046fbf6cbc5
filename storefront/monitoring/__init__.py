"""Whether the shop is well, and who is told when it is not."""
