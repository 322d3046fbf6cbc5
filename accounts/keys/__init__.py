"""API keys: making, finding and limiting them."""
