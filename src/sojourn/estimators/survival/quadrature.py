"""Nodes and weights of Gauss and Legendre on (-1, 1), found once."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@cache
def gauss_legendre(number: int) -> tuple[Floats, Floats]:
    """Return `number` nodes and weights: exact for polynomials of degree up to twice that less one."""
    nodes, weights = leggauss(number)
    return nodes, weights
