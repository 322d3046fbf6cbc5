"""The customer's pages of money, and the doors gateways knock at."""
