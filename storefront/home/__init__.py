"""The home page: what sells for visitors, and how they stand for customers."""
