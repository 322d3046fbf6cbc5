"""Sending paid orders upstream and asking how they are going, and what may hold an order back."""
