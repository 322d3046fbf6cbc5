"""The limit on calls that all workers share, and the breaker."""
