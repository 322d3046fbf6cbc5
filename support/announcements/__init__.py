"""What the shop tells its customers of its own accord: to whom, until when, and who has put it away."""
