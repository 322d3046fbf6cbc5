"""What a program may ask for: the eleven actions, their parameters and answers."""
