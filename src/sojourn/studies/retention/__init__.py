"""Who stays, and for how long: from cells to frozen results."""
