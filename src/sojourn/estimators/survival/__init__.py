"""Survival analysis on cells: numpy only, exact on integer durations, one formula per function."""
