"""What is understood of typed words: their other names, where in a word they may stand, and what was mistyped."""
