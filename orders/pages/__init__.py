"""What customers see of their orders: forms, pages, exports."""
