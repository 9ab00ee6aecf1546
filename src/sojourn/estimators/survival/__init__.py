"""Survival analysis on cells."""
