"""What customers see of numbers."""
