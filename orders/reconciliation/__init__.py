"""Finding out what became of an attempt whose answer never came."""
