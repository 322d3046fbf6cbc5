"""Mail: what is told, in the shop's design and as plain text, through the mail server of Django's settings."""
