"""What is so: expectations over leaving, and every planted effect with its identification."""
