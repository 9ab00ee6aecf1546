"""What a hazard model says in members: how many would be with us if all had one level of a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.core.errors import UndefinedError
from sojourn.estimators.survival.hazard_model import HazardModel

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Standardised:
    """Shares with us at the horizon, standardised to one mix of the other covariates.

    Attributes
    ----------
    retained : array, levels
        Share of all members who would be with us if they had this level; the first is the reference.
    covariance : array, levels x levels
        Of `retained` (delta method), the mix taken as it is.
    """

    retained: Floats
    covariance: Floats

    @property
    def difference(self) -> Floats:
        """Share at each level less that at the reference."""
        return np.asarray(self.retained - self.retained[0])

    @property
    def difference_se(self) -> Floats:
        """Standard errors of `difference`; 0 for the reference itself."""
        c = self.covariance
        return np.asarray(np.sqrt(np.maximum(np.diag(c) + c[0, 0] - 2 * c[0], 0.0)))


def standardised(
    model: HazardModel, x: Floats, mix: Counts | Floats, terms: Sequence[int], horizon: int
) -> Standardised:
    """Return standardised shares of the reference and of every level in `terms`.

    Parameters
    ----------
    model : HazardModel
        Fitted on rows of the same design.
    x : array, patterns x terms
        Design matrix.
    mix : array, patterns
        Members of each pattern from joining on: the mix to standardise to.
    terms : sequence of int
        Places of one column's levels; all 0 is its reference.
    horizon : int
        Days since joining.

    Raises
    ------
    UndefinedError
        When nobody is in the mix, or the horizon lies beyond the days followed.

    Notes
    -----
    The g-formula (Robins 1986, Math. Model. 7, 1393-1512) with weights n_p: sum of n_p S(h | level, rest of
    p) / n. Its derivative by a coefficient is minus the sum of n_p S_p m_pw days_w times the covariate.
    """
    total = float(np.sum(mix))
    if not total:
        raise UndefinedError("Nobody is seen from joining on: there is no mix to standardise to.")
    share: Floats = np.asarray(mix, dtype=np.float64) / total
    days = model.days(np.array([horizon]))[0]
    found = [_level(model, _set_to(x, terms, level), share, days) for level in (None, *terms)]
    gradients = np.array([gradient for _, gradient in found])
    return Standardised(np.array([share for share, _ in found]), gradients @ model.covariance @ gradients.T)


def _set_to(x: Floats, terms: Sequence[int], level: int | None) -> Floats:
    """Return the design as if every pattern had one level of the column."""
    moved = x.copy()
    moved[:, list(terms)] = 0.0
    if level is not None:
        moved[:, level] = 1.0
    return moved


def _level(model: HazardModel, x: Floats, mix: Floats, days: Floats) -> tuple[float, Floats]:
    """Return the mean share with us, and its derivative by the coefficients."""
    daily = model.hazards(x) * days
    stay = mix * np.exp(-daily.sum(axis=1))
    falls = -stay[:, None] * daily
    gradient = np.zeros(len(model.theta))
    gradient[: len(days)] = falls.sum(axis=0)
    np.add.at(gradient, model.effects.ravel(), (falls.T @ x).ravel())
    return float(stay.sum()), gradient
