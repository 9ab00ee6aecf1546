"""Bayesian models on cells."""
