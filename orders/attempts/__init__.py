"""What is known of each attempt to send an order: the window its id lies in, what we assume, what is lost."""
