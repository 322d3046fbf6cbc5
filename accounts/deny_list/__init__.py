"""Deny lists: who does not sign up, what nothing is ordered for, whose payments a human looks at."""
