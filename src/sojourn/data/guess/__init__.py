"""First guesses about a stranger's files: how they are written, and which column is which."""
