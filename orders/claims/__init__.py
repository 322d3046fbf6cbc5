"""What staff answers to reports about goods: a replacement at our cost, the money for the lines, or why neither."""
