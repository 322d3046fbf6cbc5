"""The bell in the head of every page: news that are read on the shop's own page."""
