"""Admin pages of payments from outside: top-ups, what gateways told us about them, and what customers owe."""
