"""What a customer may ask of us about themselves: everything we know, and to be forgotten."""
