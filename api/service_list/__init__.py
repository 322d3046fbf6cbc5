"""The list of services, long as it may be: written in pieces, cached as bytes or as files."""
