"""Columns of tables from posterior draws: one scheme per column of draws, control first."""

from __future__ import annotations

import numpy as np

from sojourn.core.results.trial_outcomes import Floats


def intervals(name: str, drawn: Floats, mass: float) -> dict[str, Floats]:
    """Return the mean of draws and their equal-tailed interval as columns ``name``, ``_low`` and ``_high``.

    Parameters
    ----------
    name : str
        Stem of the columns.
    drawn : array (draws, ...)
        Posterior draws.
    mass : float
        Probability mass of the interval.
    """
    low, high = np.quantile(drawn, [(1 - mass) / 2, (1 + mass) / 2], axis=0)
    return {name: drawn.mean(axis=0), f"{name}_low": low, f"{name}_high": high}


def above_control(name: str, drawn: Floats, mass: float) -> dict[str, Floats]:
    """Return the same columns of differences from control (draws, schemes, ...); missing for control."""
    columns = intervals(name, drawn - drawn[:, :1], mass)
    return {column: without_control(values) for column, values in columns.items()}


def over_control(name: str, drawn: Floats, mass: float) -> dict[str, Floats]:
    """Return the same columns of ratios to control (draws, schemes); missing for control.

    The value is the median of draws: the mean of a ratio is drawn upwards by small denominators. All are
    missing where control may be 0 or less.
    """
    if not (drawn[:, 0] > 0).all():
        return {column: np.full(drawn.shape[1], np.nan) for column in (name, f"{name}_low", f"{name}_high")}
    columns = intervals(name, drawn / drawn[:, :1], mass)
    columns[name] = np.median(drawn / drawn[:, :1], axis=0)
    return {column: without_control(values) for column, values in columns.items()}


def chance_above(drawn: Floats) -> Floats:
    """Return the probability that each scheme is above control (schemes); missing for control."""
    return without_control((drawn > drawn[:, :1]).mean(axis=0))


def without_control(values: Floats) -> Floats:
    """Return values (schemes, ...) with those of control missing."""
    kept = np.array(values, dtype=float)
    kept[0] = np.nan
    return kept


def frozen(drawn: Floats) -> Floats:
    """Return draws that nobody can change."""
    drawn.setflags(write=False)
    return drawn
