"""What a new owner is led through before the shop opens: each step tried out, and left and taken up again at will."""
