"""A customer's download: asked for, written by a worker, kept for some days."""
