"""Who members are, the courses of their lives, and how long they stay."""
