"""Words, tables and pages of results."""
