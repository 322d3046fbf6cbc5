"""The catalog sync: fetch everything, check it, compare, apply the difference in one transaction."""
