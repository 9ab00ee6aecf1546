"""The study `retention`."""
