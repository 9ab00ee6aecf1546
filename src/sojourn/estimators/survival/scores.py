"""How well predicted retention held: Brier scores, calibration and discrimination on held-out cells.

Members of a cell share a prediction. Nothing here looks at single members, so cost does not grow with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import chi2

from sojourn.core.errors import UndefinedError
from sojourn.core.interval import Interval
from sojourn.core.normal import standard_errors
from sojourn.estimators.survival.solvable import solvable

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

#: Predicted shares are kept this far from 0 and 1 where their logarithm is taken.
_EDGE = 1e-9
#: Draws of the calibration curve from which the bound of the ICI is read: a fixed set, the same for all.
_DRAWS, _DRAW_SEED = 2_000, 20_261_122
#: Mass below the lower bound of the ICI.
_SURELY_ABOVE = 0.01
_MOST_STEPS = 50
_NO_CURVE = "Too few of the members held out left, or stayed, to set what was predicted beside what happened."


@dataclass(frozen=True, slots=True)
class Held:
    """Held-out members, in cells, beside what a model said of them before.

    Attributes
    ----------
    stay : array of float, cells x steps
        Predicted probability of being there after each step, falling along a row.
    left : array of int, cells x steps
        Members who left in each step.
    followed : array of int, cells x steps
        Members with us whose observation ended after each step; all who are followed to the end and stay
        stand in the last one.
    """

    stay: Floats
    left: Counts
    followed: Counts

    def __post_init__(self) -> None:
        if not self.stay.shape == self.left.shape == self.followed.shape:
            raise ValueError(f"shapes differ: {self.stay.shape}, {self.left.shape}, {self.followed.shape}.")

    @property
    def members(self) -> int:
        """Number of held-out members."""
        return int(self.left.sum() + self.followed.sum())


@dataclass(frozen=True, slots=True)
class Known:
    """What is known after one step: cells with weights that make up for those no longer observed.

    Attributes
    ----------
    risk : array of float
        Predicted probability of having left, one entry per kind of member.
    gone : array of float
        1 where they had left, 0 where they had not.
    n : array of float
        Members of that kind.
    weight : array of float
        Inverse of the probability that a member like these was observed long enough.
    """

    risk: Floats
    gone: Floats
    n: Floats
    weight: Floats


def observed_long_enough(held: Held) -> Floats:
    """Return the probability that observation lasts at least to each step: Kaplan-Meier of its end.

    Who leaves in a step does so before observation ends (censored last, as in the curves).
    """
    left, ended = held.left.sum(axis=0), held.followed.sum(axis=0)
    present = held.members - np.concatenate([[0], np.cumsum(left + ended)[:-1]])
    exposed = present - left
    lasting = np.divide(exposed - ended, exposed, out=np.ones(len(left)), where=exposed > 0)
    return np.concatenate([[1.0], np.cumprod(lasting)[:-1]])


def known_after(held: Held, step: int) -> Known:
    """Return what is known of leaving within the first `step` steps (1 is the first).

    Raises
    ------
    UndefinedError
        When nobody is observed so long.
    """
    if not 1 <= step <= held.stay.shape[1]:
        raise UndefinedError(f"Predictions reach {held.stay.shape[1]} steps, asked for {step}.")
    lasts = observed_long_enough(held)
    stayed = held.left[:, step:].sum(axis=1) + held.followed[:, step - 1 :].sum(axis=1)
    if stayed.sum() == 0 or lasts[step - 1] == 0:
        raise UndefinedError(f"Nobody held out is still observed after {step} steps.")
    risk = 1 - held.stay[:, step - 1]
    return Known(
        risk=np.concatenate([np.repeat(risk, step), risk]),
        gone=np.concatenate([np.ones(len(risk) * step), np.zeros(len(risk))]),
        n=np.concatenate([held.left[:, :step].ravel(), stayed]).astype(np.float64),
        weight=np.concatenate(
            [np.tile(1 / lasts[:step], len(risk)), np.full(len(risk), 1 / lasts[step - 1])]
        ),
    )


def brier(held: Held, step: int) -> float:
    """Return the Brier score after a step, with inverse-probability-of-censoring weights.

    Mean of weight x (left - predicted risk)^2 over all members, 0 to 1, lower is better. Graf, Schmoor,
    Sauerbrei & Schumacher (1999), Stat. Med. 18, 2529-2545.
    """
    known = known_after(held, step)
    return float((known.n * known.weight * (known.gone - known.risk) ** 2).sum() / held.members)


def integrated_brier(held: Held) -> float:
    """Return the mean of the Brier score over time, from 0 (where it is 0) to the last step (trapezium)."""
    scores = np.array([0.0, *(brier(held, step) for step in range(1, held.stay.shape[1] + 1))])
    return float(((scores[1:] + scores[:-1]) / 2).mean())


def observed_share(held: Held, step: int) -> float:
    """Return the share who left within `step` steps: weighted, equal to counting when all are observed."""
    known = known_after(held, step)
    mass = known.n * known.weight
    return float((mass * known.gone).sum() / mass.sum())


def predicted_share(held: Held, step: int) -> float:
    """Return the share predicted to leave within `step` steps."""
    members = (held.left + held.followed).sum(axis=1)
    return float((members * (1 - held.stay[:, step - 1])).sum() / members.sum())


@dataclass(frozen=True, slots=True)
class CalibrationCurve:
    """Observed against predicted risk: a smooth curve in the logarithm of the odds.

    Attributes
    ----------
    coefficients, covariance : array of float
        Of 1, z and z squared, where z is the standardised logarithm of the predicted odds.
    centre, scale : float
        Of the standardisation.
    """

    coefficients: Floats
    covariance: Floats
    centre: float
    scale: float

    def terms(self, risk: Floats) -> Floats:
        """Return the terms at some predicted risks, one row each."""
        return _terms(risk, self.centre, self.scale, len(self.coefficients))

    def observed(self, risk: Floats) -> Floats:
        """Return the observed risk where so much was predicted."""
        value: Floats = expit(self.terms(risk) @ self.coefficients)
        return value


def calibration_curve(known: Known) -> CalibrationCurve:
    """Return the curve of observed on predicted risk, with a covariance that allows for the weights.

    Notes
    -----
    Logistic regression on 1, z, z^2 with z the standardised logit of the predicted risk; as many terms as
    there are different predictions at most. Sandwich covariance, since weights are no counts.
    """
    mass = known.n * known.weight
    share = float((mass * known.gone).sum() / mass.sum())
    if not 0 < share < 1:
        raise UndefinedError("All or none of the members held out left: there is nothing to calibrate.")
    z = logit(np.clip(known.risk, _EDGE, 1 - _EDGE))
    centre = float(np.average(z, weights=mass))
    scale = float(np.sqrt(np.average((z - centre) ** 2, weights=mass)))
    flat = scale < 1e-6
    kinds = len(np.unique(np.round(z[known.n > 0], 6)))
    x = _terms(known.risk, centre, 1.0 if flat else scale, 1 if flat else min(3, kinds))
    beta = np.zeros(x.shape[1])
    beta[0] = logit(share)
    for _ in range(_MOST_STEPS):
        mean = expit(x @ beta)
        information = (x * (mass * mean * (1 - mean))[:, None]).T @ x
        with solvable(_NO_CURVE):
            step = np.linalg.solve(information, x.T @ (mass * (known.gone - mean)))
        beta = beta + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            break
    else:
        raise UndefinedError(_NO_CURVE)
    with solvable(_NO_CURVE):
        inverse = np.linalg.inv(information)
    residual = known.n * (known.weight * (known.gone - mean)) ** 2
    covariance = inverse @ ((x * residual[:, None]).T @ x) @ inverse
    return CalibrationCurve(beta, covariance, centre, 1.0 if flat else scale)


def _terms(risk: Floats, centre: float, scale: float, terms: int) -> Floats:
    z = (logit(np.clip(risk, _EDGE, 1 - _EDGE)) - centre) / scale
    return np.stack([z**power for power in range(terms)], axis=1)


def ici(held: Held, step: int, *, mass: float = 0.90) -> Interval:
    """Return the integrated calibration index after a step, with a one-sided upper bound.

    Mean over members of the distance between the predicted risk and the observed risk of members with such a
    prediction, in shares. Austin & Steyerberg (2019), Stat. Med. 38, 4051-4065.

    Parameters
    ----------
    held : Held
        Held-out members.
    step : int
        Number of the step, from 1.
    mass : float
        Mass below the upper bound; the lower bound leaves 0.99 above it.

    Notes
    -----
    Bounds are quantiles of the index over draws of the calibration curve from its normal approximation: a
    fixed set of draws, so that equal cells give equal numbers. Noise alone makes an index positive, hence the
    upper bound is on the safe side.
    """
    curve = calibration_curve(known_after(held, step))
    kinds, share = _predictions(held, step)
    drawn = curve.coefficients + _deviations(curve)
    low, high = np.quantile(_distance(curve, kinds, share, drawn), [_SURELY_ABOVE, mass])
    value = float(share @ np.abs(curve.observed(kinds) - kinds))
    return Interval(value, float(low), float(high), mass, "bootstrap")


def ici_of_the_right_model(curve: CalibrationCurve, held: Held, step: int, *, mass: float = 0.90) -> float:
    """Return the upper bound of the ICI to be expected if every prediction were right.

    The estimate and its draws both deviate then, each by the curve's covariance: the bound is read off the
    sum of both. Where it is above what is allowed, the data cannot tell a right model from a wrong one.
    """
    kinds, share = _predictions(held, step)
    right = np.zeros(len(curve.coefficients))
    if len(right) > 1:
        right[:2] = curve.centre, curve.scale
    else:
        right[0] = logit(np.clip(float(share @ kinds), _EDGE, 1 - _EDGE))
    off = _distance(curve, kinds, share, right + _deviations(curve) * np.sqrt(2))
    return float(np.quantile(off, mass))


def _predictions(held: Held, step: int) -> tuple[Floats, Floats]:
    """Return the different predicted risks and the share of members with each."""
    members = (held.left + held.followed).sum(axis=1)
    kinds, where = np.unique(np.round(1 - held.stay[:, step - 1], 9), return_inverse=True)
    return kinds, np.bincount(where, weights=members) / members.sum()


def _deviations(curve: CalibrationCurve) -> Floats:
    """Return draws of how far the coefficients may be off, draws x terms."""
    normal = np.random.default_rng(_DRAW_SEED).standard_normal((_DRAWS, len(curve.coefficients)))
    values, vectors = np.linalg.eigh(curve.covariance)
    deviations: Floats = (normal * np.sqrt(np.maximum(values, 0))) @ vectors.T
    return deviations


def _distance(curve: CalibrationCurve, kinds: Floats, share: Floats, drawn: Floats) -> Floats:
    """Return the mean distance to the predictions, for each set of coefficients."""
    off: Floats = share @ np.abs(expit(curve.terms(kinds) @ drawn.T) - kinds[:, None])
    return off


def auc(held: Held, step: int, *, mass: float = 0.95) -> Interval:
    """Return how well predictions order members: the chance that a leaver had the higher predicted risk.

    Ties count one half; 0.5 is no order at all. Cases left within `step` steps, controls had not, both with
    weights for the end of observation (Uno, Cai, Tian & Wei 2007, J. Am. Stat. Assoc. 102, 527-537). Interval
    by DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, 837-845, on cells.
    """
    known = known_after(held, step)
    heavy = known.n * known.weight
    where = np.unique(np.round(known.risk, 12), return_inverse=True)[1]
    leave, stay = (np.bincount(where, weights=heavy * one) for one in (known.gone, 1 - known.gone))
    if leave.sum() == 0 or stay.sum() == 0:
        raise UndefinedError("All or none of the members held out left: there is no order to judge.")
    below = (np.cumsum(stay) - stay / 2) / stay.sum()
    above = (np.cumsum(leave[::-1])[::-1] - leave / 2) / leave.sum()
    value = float((leave * below).sum() / leave.sum())
    squares = known.n * known.weight**2
    cases, controls = (np.bincount(where, weights=squares * one) for one in (known.gone, 1 - known.gone))
    variance = (cases * (below - value) ** 2).sum() / leave.sum() ** 2
    variance += (controls * (above - value) ** 2).sum() / stay.sum() ** 2
    reach = standard_errors(mass) * float(np.sqrt(variance))
    return Interval(value, max(value - reach, 0.0), min(value + reach, 1.0), mass, "wald")


@dataclass(frozen=True, slots=True)
class DCalibration:
    """Whether times of leaving fall evenly over the predicted distribution.

    Attributes
    ----------
    shares : array of float
        Share of members in each of equally probable bins, from the latest predicted times to the earliest.
    statistic, p : float
        Pearson's statistic against even shares, and its p-value (on the safe side: see `d_calibration`).
    """

    shares: Floats
    statistic: float
    p: float


def d_calibration(held: Held, *, bins: int = 10) -> DCalibration:
    """Return the distribution calibration of predictions.

    Notes
    -----
    Haider, Hoehn, Davis & Greiner (2020), JMLR 21(85), 1-63: the predicted probability of being there at the
    time of leaving is even on 0 to 1 if the model is right. Leaving within a step spreads a member evenly
    between the probabilities at its ends, and the end of observation evenly below the probability there: no
    draw is needed, and the statistic varies less than its chi-squared law says.
    """
    before = np.concatenate([np.ones((len(held.stay), 1)), held.stay[:, :-1]], axis=1)
    edges = np.linspace(0, 1, bins + 1)
    total = _spread(held.stay, before, held.left, edges)
    total += _spread(np.zeros_like(held.stay), held.stay, held.followed, edges)
    expected = held.members / bins
    statistic = float(((total - expected) ** 2 / expected).sum())
    return DCalibration(total / held.members, statistic, float(chi2.sf(statistic, bins - 1)))


def _spread(low: Floats, high: Floats, n: Counts, edges: Floats) -> Floats:
    """Return how many of `n` members, even between `low` and `high`, lie between neighbouring edges."""
    there = n > 0
    low, high, n = low[there], high[there], n[there]
    below = np.clip((edges[:, None] - low) / np.maximum(high - low, _EDGE), 0, 1)
    total: Floats = (np.diff(below, axis=0) * n).sum(axis=1)
    return total
