"""What goes over the wire: types, and how answers are read."""
