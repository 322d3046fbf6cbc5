"""The suite: a real database, a real Redis protocol server, real HTTP to the sandbox, a real browser."""
