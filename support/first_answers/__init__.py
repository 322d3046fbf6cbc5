"""Rules that answer a question before a human sees it, where what the shop knows answers it."""
