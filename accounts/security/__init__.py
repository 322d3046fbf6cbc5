"""Keeping an account its owner's: fresh sign-ins, sessions, wrong tries, changes of address, and telling of them."""
