"""What people are told, and how: the outbox of mails. What workers are told, too: to look at once."""
