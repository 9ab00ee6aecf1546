"""Columns of tables from estimates and standard errors: normal intervals, of ratios by their logarithm."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sojourn.core.normal import standard_errors

type Floats = npt.NDArray[np.float64]


def bounded(name: str, value: npt.ArrayLike, variance: npt.ArrayLike, mass: float) -> dict[str, Floats]:
    """Return an estimate and its normal interval as columns ``name``, ``name_low`` and ``name_high``.

    Parameters
    ----------
    name : str
        Stem of the columns.
    value, variance : array_like
        The estimate and the square of its standard error.
    mass : float
        Probability mass of the interval.
    """
    value = np.asarray(value, dtype=float)
    reach = standard_errors(mass) * np.sqrt(np.maximum(variance, 0.0))
    return {name: value, f"{name}_low": value - reach, f"{name}_high": value + reach}


def log_bounded(name: str, value: npt.ArrayLike, variance: npt.ArrayLike, mass: float) -> dict[str, Floats]:
    """Return the same columns of a ratio, whose logarithm has the variance."""
    columns = bounded(name, np.log(value), variance, mass)
    return {column: np.exp(values) for column, values in columns.items()}
