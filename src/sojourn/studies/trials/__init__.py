"""The study `trials`."""
