"""What is asked about numbers: what is on sale, how often codes come, what was earned."""
