"""What customers and visitors see of the help, and where they ask."""
