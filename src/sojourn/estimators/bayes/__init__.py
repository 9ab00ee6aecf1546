"""Bayesian models on cells: a hierarchical model of schemes by strata, computed twice.

`laplace` is the fast path that decides, `graph` samples the same model with PyMC as its audit, and
`closed_form` holds the normal formulas by which a rule's error rates are simulated.
"""
