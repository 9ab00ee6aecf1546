"""Studies: one question each, from cells to frozen results. They never import each other."""
