"""What customers see of their news: the list behind the bell, what they choose, and the way out of mails."""
