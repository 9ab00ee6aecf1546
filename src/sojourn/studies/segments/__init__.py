"""The study `segments`."""
