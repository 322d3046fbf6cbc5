"""Whether the books add up, and what they say."""
