"""Who is here, and what do they do: from cells to frozen results."""
