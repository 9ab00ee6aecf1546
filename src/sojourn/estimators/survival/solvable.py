"""Equations that have no single solution: an answer that is not defined, said in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from sojourn.core.errors import UndefinedError


@contextmanager
def solvable(otherwise: str) -> Iterator[None]:
    """Solve linear equations inside; where they are singular, raise saying why there is no answer.

    Parameters
    ----------
    otherwise : str
        The sentence of the error.

    Raises
    ------
    UndefinedError
        In place of numpy's error.

    Examples
    --------
    >>> with solvable("Two groups are one."):
    ...     np.linalg.solve(np.ones((2, 2)), np.ones(2))
    Traceback (most recent call last):
    sojourn.core.errors.UndefinedError: Two groups are one.
    """
    try:
        yield
    except np.linalg.LinAlgError:
        raise UndefinedError(otherwise) from None
