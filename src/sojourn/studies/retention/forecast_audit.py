"""The audit of the forecast: the same model, its fast path set beside sampling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sojourn.core.errors import ConvergenceError
from sojourn.core.results.retention_forecast import Audit, Race
from sojourn.estimators.bayes.renewal import MOST, sample_renewal
from sojourn.estimators.survival.ahead import Draws, kept_ahead
from sojourn.estimators.survival.laws import beta_geometric, beta_weibull
from sojourn.estimators.survival.sharing import fit_shared
from sojourn.estimators.survival.triangle import Triangle

Floats = NDArray[np.float64]

_MASS, _DRAWS = 0.95, 4_000


def audit_forecast(triangle: Triangle, race: Race, *, ahead: int, rng: np.random.Generator) -> Audit:
    """Return how far the fast path is from sampling, over all entries up to `ahead` steps on.

    Parameters
    ----------
    triangle : Triangle
        What is known.
    race : Race
        A beta-geometric law is audited as it was chosen; for any other choice the beta discrete Weibull
        stands in, since all laws share the fast path.
    ahead : int
        Steps ahead that are compared.
    rng : numpy Generator
        Source of randomness.

    Notes
    -----
    At most the newest `MOST` cohorts and their first `MOST` ages are compared: one compiled graph serves all.
    Levels of months are held in both, and months to come are left out of both.
    """
    law = beta_geometric() if race.chosen == beta_geometric().name else beta_weibull()
    part, seed = _newest(triangle), int(rng.integers(2**31))
    fit, steps = fit_shared(part, law), int(part.known.max()) + ahead
    counts = (part.lost, part.at_risk, _held(part, fit.month))
    try:
        sampled = sample_renewal(*counts, law.centre, law.spread, steps=steps, seed=seed)
    except ConvergenceError as reason:
        return Audit(law.name, float("nan"), float("nan"), float("nan"), 0, str(reason), failed=True)
    fast = replace(fit.draw(_DRAWS, steps, rng=rng), months=np.zeros(_DRAWS))
    slow = Draws(sampled.logits, sampled.levels, sampled.spread, sampled.steadiness, 0 * sampled.spread)
    one, other = (_ahead(part, kept_ahead(part, draws, most=ahead, rng=rng), ahead) for draws in (fast, slow))
    shift = np.abs(one.mean(axis=0) - other.mean(axis=0)) / np.maximum(other.std(axis=0), 1e-9)
    ratio = _width(one) / np.maximum(_width(other), 1e-9)
    ends = float(ratio.min()), float(ratio.max())
    return Audit(law.name, float(shift.max()), *ends, ratio.size, sampled.sampler)


def _held(triangle: Triangle, month: Floats) -> Floats:
    """Return the level of the month of each known entry, 0 elsewhere (cohorts, steps)."""
    back = triangle.known[:, None] - np.arange(1, triangle.kept.shape[1] + 1)
    return np.where(back >= 0, month[np.maximum(back, 0)], 0.0)


def _newest(triangle: Triangle) -> Triangle:
    known = np.minimum(triangle.known[-MOST:], MOST)
    return Triangle(triangle.members[-MOST:], triangle.kept[-MOST:, :MOST], known)


def _ahead(triangle: Triangle, kept: Floats, ahead: int) -> Floats:
    """Return drawn shares of entries one to `ahead` steps on (draws, entries)."""
    steps = np.arange(1, kept.shape[2] + 1)
    known = triangle.known[:, None]
    cohort, step = np.nonzero((steps > known) & (steps <= known + ahead))
    shares: Floats = kept[:, cohort, step] / triangle.members[cohort]
    return shares


def _width(shares: Floats) -> Floats:
    low, high = np.quantile(shares, [(1 - _MASS) / 2, (1 + _MASS) / 2], axis=0)
    width: Floats = high - low
    return width
