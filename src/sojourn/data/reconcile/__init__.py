"""A company's own numbers, and the cells from which the same numbers are rebuilt under other definitions."""
