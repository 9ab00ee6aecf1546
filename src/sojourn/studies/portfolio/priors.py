"""Beliefs before a trial: learned from past trials, and examined beside a trial's own data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from sojourn.core.errors import DataError
from sojourn.core.ranges import in_range
from sojourn.core.results.trial_prior import PastLifts, Tails
from sojourn.core.text import plural
from sojourn.estimators.bayes.empirical import Law, fit_law
from sojourn.estimators.bayes.model import Floats

#: Fewer past trials say too little of how lifts spread.
LEAST_PAST = 10
#: Heavier tails are used when past trials make them e times as likely as normal ones.
_FAVOUR = 1.0
_PROBABILITIES: Floats = np.concatenate(
    [[0.001, 0.0025, 0.005], np.arange(0.01, 0.995, 0.01), [0.995, 0.9975, 0.999]]
)
_MASSES = (0.5, 0.8, 0.95)
#: Points of the grid on which quantiles are found: they err by 1e-4 standard deviations.
_FINE = 401
_BINS = 32


def prior_from_past(
    effects: pd.DataFrame,
    *,
    unit: str = "share",
    centre: float | None = None,
    mass: float = 0.95,
) -> PastLifts:
    """Learn a law of lifts from past trials, as a belief for the next one.

    Parameters
    ----------
    effects : DataFrame, one row per estimate, in order of time
        ``effect`` and ``error`` (its standard error); ``trial`` where several estimates share a control: they
        then weigh as one together. Other columns are passed over. See `trial_effects`.
    unit : str
        Of a lift: ``share``, ``log-odds`` or a currency.
    centre : float, optional
        Centre of lifts where it is known: 0 where it is arbitrary which arm is the control.
    mass : float
        Probability mass of every interval.

    Returns
    -------
    PastLifts
        With a normal law and one of heavier tails, both examined on the later half of trials, which a law
        fitted to the earlier half predicts.

    Raises
    ------
    DataError
        When a column is missing or a standard error is not above 0.

    Notes
    -----
    Empirical Bayes with the uncertainty of the law kept; see `sojourn.estimators.bayes.empirical`. Tails as
    in Azevedo, Deng, Montiel Olea, Rao and Weyl (2020), "A/B testing with fat tails".
    """
    in_range(mass, "mass", gt=0, lt=1)
    effect, error, weight = _estimates(effects)
    trials = round(float(weight.sum()))
    if trials < LEAST_PAST:
        return PastLifts(trials, effect.size, unit, mass, why_empty=_too_few(trials))
    if not effect.any():
        return PastLifts(trials, effect.size, unit, mass, why_empty="All past estimates are 0.")
    laws = _fitted(effect, error, weight, centre)
    order = _order(laws)
    law = laws[order[0]]
    return PastLifts(
        trials=trials,
        effects=effect.size,
        unit=unit,
        mass=mass,
        tails=order[0],
        table=pd.DataFrame([{"tails": tails, **_described(laws[tails], mass)} for tails in order]),
        held=_held_out(effect, error, weight, centre, order),
        quantiles=pd.DataFrame({"probability": _PROBABILITIES, "lift": _quantiles(law)}),
        bins=_bins(law, effect, error),
    )


def best_law(effects: pd.DataFrame, centre: float | None = None) -> tuple[Law, Tails]:
    """Return the law in use for estimates (see `prior_from_past`), and its tails."""
    laws = _fitted(*_estimates(effects), centre)
    tails = _order(laws)[0]
    return laws[tails], tails


def _order(laws: Mapping[Tails, Law]) -> list[Tails]:
    """Return the law in use, and the other one."""
    ahead = laws["heavier than normal"].log_evidence - laws["normal"].log_evidence
    return ["heavier than normal", "normal"] if ahead > _FAVOUR else ["normal", "heavier than normal"]


def _fitted(effect: Floats, error: Floats, weight: Floats, centre: float | None) -> dict[Tails, Law]:
    """Return both laws."""
    return {
        "normal": fit_law(effect, error, weight=weight, centre=centre, heavy=False),
        "heavier than normal": fit_law(effect, error, weight=weight, centre=centre),
    }


def _too_few(trials: int) -> str:
    can = f"{plural(trials, 'trial')} can be compared"
    return f"{can}; what the next one may bring is learned from {LEAST_PAST} or more."


def _estimates(effects: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    for name in ("effect", "error"):
        if name not in effects:
            raise DataError.missing_column("past trials", name, effects.columns)
    known = effects.dropna(subset=["effect", "error"])
    bad = known[~(known["error"] > 0)]
    if len(bad):
        raise DataError.in_rows(
            "past trials",
            "error",
            "a standard error is not above 0",
            bad_rows=len(bad),
            all_rows=len(known),
            examples=bad.index.tolist(),
            hint="Leave out trials in which nothing varies.",
        )
    shared = (
        known.groupby("trial")["effect"].transform("size")
        if "trial" in known
        else pd.Series(1.0, known.index)
    )
    return known["effect"].to_numpy(float), known["error"].to_numpy(float), 1 / shared.to_numpy(float)


def _quantiles(law: Law) -> Floats:
    """Return the quantiles of the next lift at `_PROBABILITIES`, interpolated on a fine grid."""
    lift = law.next_lift()
    low, high = (float(lift.quantile(float(p))[0]) for p in (_PROBABILITIES[0], _PROBABILITIES[-1]))
    at = np.linspace(low, high, _FINE)
    return np.interp(_PROBABILITIES, [1 - float(lift.above(float(x))[0]) for x in at], at)


def _described(law: Law, mass: float) -> dict[str, float]:
    """Return evidence, centre, spread and degrees of freedom with intervals."""
    ends = ((1 - mass) / 2, (1 + mass) / 2)
    found = {"log_evidence": law.log_evidence, "centre": float(law.weights @ law.centre)}
    within = law.weights @ (law.centre_sd**2 + (law.centre - found["centre"]) ** 2)
    away = float(stats.norm.ppf(ends[1]) * np.sqrt(within))
    found |= {"centre_low": found["centre"] - away, "centre_high": found["centre"] + away}
    spread = law.spread()
    low, middle, high = _weighted(spread, law.weights, (ends[0], 0.5, ends[1]))
    found |= {"spread": middle, "spread_low": low, "spread_high": high}
    if not law.heaviness.any():
        return found | dict.fromkeys(("freedom", "freedom_low", "freedom_high"), float("nan"))
    low, middle, high = _weighted(law.heaviness, law.weights, (ends[0], 0.5, ends[1]))
    inverse = {"freedom": middle, "freedom_low": high, "freedom_high": low}
    return found | {name: 1 / h if h else float("inf") for name, h in inverse.items()}


def _weighted(values: Floats, weights: Floats, probabilities: Sequence[float]) -> list[float]:
    """Return quantiles of weighted values, interpolated; equal values count together."""
    at, place = np.unique(values, return_inverse=True)
    mass = np.bincount(place, weights)
    return [float(np.interp(p, np.cumsum(mass) - mass / 2, at)) for p in probabilities]


def _held_out(
    effect: Floats, error: Floats, weight: Floats, centre: float | None, order: Sequence[Tails]
) -> pd.DataFrame:
    """Return how laws of the earlier half predict estimates of the later half."""
    half = int(np.searchsorted(np.cumsum(weight), weight.sum() / 2 + 1e-9, side="right"))
    if half < LEAST_PAST:
        return pd.DataFrame()
    laws = _fitted(effect[:half], error[:half], weight[:half], centre)
    rows = []
    for tails in order:
        seen = laws[tails].seen(error[half:])
        score = float(seen.log_density(effect[half:]).mean())
        away = np.abs(seen.above(effect[half:]) - 0.5)
        for mass in _MASSES:
            inside = int((away < mass / 2).sum())
            exact = stats.binomtest(inside, away.size).proportion_ci(0.95, method="exact")
            rows.append(
                {
                    "tails": tails,
                    "effects": away.size,
                    "log_score": score,
                    "mass": mass,
                    "coverage": inside / away.size,
                    "coverage_low": float(exact.low),
                    "coverage_high": float(exact.high),
                }
            )
    return pd.DataFrame(rows)


def _bins(law: Law, effect: Floats, error: Floats) -> pd.DataFrame:
    """Return estimates in bins, beside what the law expects of estimates and of true lifts."""
    low, high = np.quantile(effect, [0.005, 0.995]) if effect.size >= 1000 else (effect.min(), effect.max())
    edges = np.linspace(low, high, min(_BINS, max(8, int(np.sqrt(effect.size)) * 2)) + 1)
    seen = np.histogram(effect, edges)[0]
    mixture, lift = law.seen(error), law.next_lift()
    expected = -np.diff([mixture.above(float(edge)).sum() for edge in edges])
    true = -np.diff([float(lift.above(float(edge))[0]) for edge in edges]) * effect.size
    return pd.DataFrame(
        {"lift_from": edges[:-1], "lift_to": edges[1:], "seen": seen, "expected": expected, "true": true}
    )
