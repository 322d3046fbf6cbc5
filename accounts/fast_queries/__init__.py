"""Statements put together once, for what every sale and every call of the API does."""
