"""Cohorts carried on step by step from draws of a posterior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sojourn.estimators.survival.triangle import Triangle

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Draws:
    """Draws of what a forecast hangs on.

    Attributes
    ----------
    logits : array (draws, steps)
        Logit of the share lost in each step of a cohort of level 0.
    levels : array (draws, cohorts)
        Level of each cohort, added to the logits.
    spread : array (draws,)
        Standard deviation of levels of cohorts yet unseen.
    steadiness : array (draws,)
        M of the beta-binomial.
    months : array (draws,)
        Standard deviation of the level that all cohorts share in a month yet unseen.
    """

    logits: Floats
    levels: Floats
    spread: Floats
    steadiness: Floats
    months: Floats


def kept_ahead(
    triangle: Triangle, draws: Draws, *, most: int | None = None, rng: np.random.Generator
) -> Floats:
    """Return draws of members kept in every cohort after each step (draws, cohorts, steps).

    Known entries are as they are; the others go on from the last known one, step by step, each with the
    unrest and the chance of its own, and with the level of its month, which all cohorts share. So an interval
    of these draws holds what can be seen, not only what is expected.

    Parameters
    ----------
    triangle : Triangle
        What is known.
    draws : Draws
        Of a posterior, for as many steps as are wanted.
    most : int, optional
        No cohort is carried on further than so many steps; what lies beyond is not a number.
    rng : numpy Generator
        Source of randomness.
    """
    size, steps = draws.logits.shape
    kept = np.full((size, len(triangle.members), steps), np.nan)
    months = draws.months[:, None] * rng.standard_normal((size, steps + 1))
    now = np.broadcast_to(triangle.members, kept.shape[:2]).astype(np.int64)
    for step in range(steps):
        ahead = step + 1 - triangle.known
        seen, next_ = ahead <= 0, (ahead > 0) & (ahead <= (most or steps))
        if seen.any():
            now[:, seen] = triangle.kept[seen, step]
        share = _share(draws, step, next_, months[:, ahead[next_]])
        now[:, next_] -= rng.binomial(now[:, next_], _drawn(share, draws.steadiness, rng))
        kept[:, seen | next_, step] = now[:, seen | next_]
    return kept


def _share(draws: Draws, step: int, cohorts: NDArray[np.bool_], month: Floats) -> Floats:
    eta = draws.logits[:, step, None] + draws.levels[:, cohorts] + month
    share: Floats = expit(np.clip(eta, -25.0, 25.0))
    return share


def _drawn(share: Floats, steadiness: Floats, rng: np.random.Generator) -> Floats:
    a, b = share * steadiness[:, None], (1 - share) * steadiness[:, None]
    return rng.beta(np.maximum(a, 1e-9), np.maximum(b, 1e-9))
