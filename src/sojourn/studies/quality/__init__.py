"""Quality: whether the data can be trusted, and with which questions."""
