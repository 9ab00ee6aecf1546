"""How long members stay under every scheme: all who were assigned count, for as long as they were seen."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.errors import UndefinedError
from sojourn.core.normal import two_sided
from sojourn.core.ranges import in_range
from sojourn.core.results.trial_outcomes import Floats, Lasting, Trend
from sojourn.core.results.trials import Trial
from sojourn.estimators.bayes.curves import (
    CurvePrior,
    LeavingShares,
    averaged,
    leaving_shares,
    trapezium,
)
from sojourn.studies.trials.drawn import above_control, chance_above, frozen, intervals
from sojourn.studies.trials.trial import OTHER, merged

#: Curves of a stratum count where so many of every scheme are there at the begin of the last day.
LEAST_AT_RISK = 20


@dataclass(frozen=True, slots=True)
class Followed:
    """Members by time since assignment; axes are schemes (control first), strata, periods and cells.

    Attributes
    ----------
    strata, periods : tuple of str
        Names; periods are those of assignment.
    ends : array (cells,)
        Days at which cells end; the last is the horizon.
    entered : array (schemes, strata, periods)
        Assigned.
    at_risk, churned : array (schemes, strata, periods, cells)
        There at the begin of a cell and followed to its end or seen to leave in it; seen to leave in it.
    """

    strata: tuple[str, ...]
    periods: tuple[str, ...]
    ends: Floats
    entered: Floats
    at_risk: Floats
    churned: Floats

    @property
    def weights(self) -> Floats:
        """Share of every stratum among all members (strata)."""
        of_strata = self.entered.sum(axis=(0, 2))
        weights: Floats = of_strata / of_strata.sum()
        return weights


def lasting(
    trial: Trial,
    *,
    horizon: int | None = None,
    mass: float,
    rng: np.random.Generator,
    believed: float = 0.5,
    weight: float = 1.0,
    draws: int = 10_000,
) -> Lasting:
    """Estimate the share still with us by time since assignment, and the mean days with us, per scheme.

    Parameters
    ----------
    trial : Trial
        Its cells need the table ``times``.
    horizon : int, optional
        Days after assignment; the trial's own when not given.
    mass : float
        Probability mass of every interval, in (0, 1).
    rng : Generator
        Source of the posterior draws.
    believed : float
        Share believed to be still there at the horizon, leaving at a constant pace, in (0, 1).
    weight : float
        What that belief is worth in members of a scheme who are seen to leave, in (0, 1].
    draws : int
        Number of posterior draws.

    Returns
    -------
    Lasting
        Empty, with the reason, where the cells have no times or too few were followed to the horizon.

    Notes
    -----
    A beta-Stacy process per scheme and stratum (`sojourn.estimators.bayes.curves`); curves are averaged over
    strata as they occur among all members. Where the period of assignment is known, schemes are compared
    within it: a day's share of leavers is averaged over periods with the same weights for every scheme
    (everyone at risk on that day), so a changing allocation moves nothing. Where members had left, who comes
    back is counted as leavers are: a second leaving does not undo it.
    """
    days = int(in_range(trial.meta["horizon_days"] if horizon is None else horizon, "horizon", ge=1))
    in_range(mass, "mass", gt=0, lt=1)
    in_range(draws, "draws", ge=1000)
    prior = CurvePrior(believed, days, weight)
    empty = Lasting(trial.name, trial.control, days, mass, believed, weight, wins_back=trial.wins_back)
    if trial.other("times").empty:
        return replace(empty, why_empty="These cells have no times of leaving, only shares at fixed days.")
    try:
        followed = make_followed(trial, days)
        shares = posterior(followed, prior)
    except UndefinedError as short:
        return replace(empty, why_empty=str(short))
    return _result(empty, trial, followed, draw_curves(followed, shares, draws, rng=rng))


def make_followed(trial: Trial, horizon: int) -> Followed:
    """Count who was there and who left, by scheme, stratum, period and cell of time.

    Raises
    ------
    UndefinedError
        When fewer members of a scheme were followed to the horizon than `LEAST_AT_RISK`, or than may be
        shown; or when nothing is known of the horizon.
    """
    times = trial.other("times")
    times = times.assign(period=times.get("period", "all"))
    ends = _ends(horizon, int(trial.meta.get("times_width", 1)))
    strata, periods = (tuple(sorted(set(times[name]))) for name in ("stratum", "period"))
    axes = (trial.schemes, strata, periods)
    day = times["day"].to_numpy(float)
    entered = _grid(times, "entered", axes, np.zeros(len(day), dtype=int), 1)
    churned = _grid(times, "churned", axes, np.searchsorted(ends, day), len(ends) + 1)
    lost = _grid(times, "censored", axes, np.searchsorted(ends, day, side="right"), len(ends) + 1)
    before = np.cumsum(churned, axis=-1) - churned
    there = (entered - before - np.cumsum(lost, axis=-1))[..., :-1]
    followed = Followed(strata, periods, ends, entered[..., 0], there, churned[..., :-1])
    return _together(followed, trial)


def _ends(horizon: int, width: int) -> Floats:
    if horizon % width:
        raise UndefinedError(
            f"These times are known in steps of {width} days, so nothing is known of day {horizon}."
        )
    return np.arange(width, horizon + 1, width, dtype=float)


def _grid(
    times: pd.DataFrame, name: str, axes: tuple[tuple[str, ...], ...], cell: NDArray[np.int64], cells: int
) -> Floats:
    """Return counts by scheme, stratum, period and cell."""
    places = [
        times[column].map({key: i for i, key in enumerate(axis)}).to_numpy()
        for column, axis in zip(("scheme", "stratum", "period"), axes, strict=True)
    ]
    grid = np.zeros((*(len(axis) for axis in axes), cells))
    np.add.at(grid, (*places, cell), times[name].to_numpy(float))
    return grid


def _together(followed: Followed, trial: Trial) -> Followed:
    """Put strata together where too few of any scheme were followed to the horizon."""
    last = pd.DataFrame(followed.at_risk[..., -1].sum(axis=-1), list(trial.schemes), list(followed.strata))
    least = max(LEAST_AT_RISK, trial.min_group)
    if last.sum(axis=1).min() < least:
        raise UndefinedError(
            f"Fewer than {least} members of a scheme have been followed for "
            f"{followed.ends[-1]:g} days: the time with us cannot be compared yet over that time."
        )
    named = merged(last, least)
    names = [named.get(stratum, stratum) for stratum in followed.strata]
    strata = tuple(sorted(set(names), key=lambda stratum: (stratum == OTHER, stratum)))
    into = np.array([[name == stratum for name in names] for stratum in strata], dtype=float)
    entered, at_risk, churned = (
        np.moveaxis(np.tensordot(into, counts, axes=(1, 1)), 0, 1)
        for counts in (followed.entered, followed.at_risk, followed.churned)
    )
    return Followed(strata, followed.periods, followed.ends, entered, at_risk, churned)


def posterior(followed: Followed, prior: CurvePrior) -> LeavingShares:
    """Return the posterior of the shares that leave, by scheme, stratum and cell.

    Raises
    ------
    UndefinedError
        When on some day no period of assignment has members of every scheme.
    """
    part = followed.weights[:, None] * followed.entered / followed.entered.sum(axis=2, keepdims=True)
    shares = leaving_shares(followed.at_risk, followed.churned, followed.ends, prior, part=part)
    there = np.where((followed.at_risk > 0).all(axis=0), followed.at_risk.sum(axis=0), 0.0)
    everyone = there.sum(axis=1, keepdims=True)
    if not everyone.all():
        raise UndefinedError("No period of assignment has members of every scheme followed to the horizon.")
    weights = np.broadcast_to(there / everyone, shares.gone.shape)
    return averaged(shares, weights)


def draw_curves(followed: Followed, shares: LeavingShares, size: int, *, rng: np.random.Generator) -> Floats:
    """Return draws of every scheme's curve, averaged over strata (size, schemes, cells + 1).

    One scheme and stratum at a time, so that memory does not grow with strata.
    """
    curves = np.zeros((size, len(shares.gone), len(shares.ends) + 1))
    for scheme, stratum in np.ndindex(shares.gone.shape[:2]):
        own = LeavingShares(shares.ends, shares.gone[scheme, stratum], shares.stayed[scheme, stratum])
        curves[:, scheme] += followed.weights[stratum] * own.draw(size, rng=rng)
    return curves


def _result(empty: Lasting, trial: Trial, followed: Followed, curves: Floats) -> Lasting:
    curves = 1 - curves if empty.wins_back else curves
    days = curves @ trapezium(followed.ends)
    kept = curves[..., -1]
    return replace(
        empty,
        strata=followed.strata,
        periods=len(followed.periods),
        table=_table(trial, followed, days, kept, empty.mass),
        curves=_curves(trial, followed, curves, empty.mass),
        days_draws=frozen(days),
        kept_draws=frozen(kept),
        late=trend(followed),
        truth={} if trial.wins_back else _truth(trial, empty.horizon),
    )


def _table(trial: Trial, followed: Followed, days: Floats, kept: Floats, mass: float) -> pd.DataFrame:
    assigned, gone = followed.entered.sum(axis=(1, 2)), followed.churned.sum(axis=(1, 2))
    at_risk = followed.at_risk.sum(axis=(1, 2))[:, -1]
    stayed = at_risk - followed.churned[..., -1].sum(axis=(1, 2))
    counts = {"n": assigned, "churned": gone.sum(axis=-1), "censored": assigned - gone.sum(axis=-1) - stayed}
    return pd.DataFrame(
        {
            "scheme": trial.schemes,
            **{name: values.astype(int) for name, values in {**counts, "at_risk": at_risk}.items()},
            **intervals("kept_share", kept, mass),
            **above_control("lift", kept, mass),
            **intervals("days", days, mass),
            **above_control("more_days", days, mass),
            "p_longer": chance_above(days),
        }
    )


def _curves(trial: Trial, followed: Followed, curves: Floats, mass: float) -> pd.DataFrame:
    """Return one row per scheme and end of a cell, time 0 first."""
    ends = np.r_[0.0, followed.ends].astype(int)
    assigned = followed.entered.sum(axis=(1, 2))[:, None]
    at_risk, churned = (counts.sum(axis=(1, 2)) for counts in (followed.at_risk, followed.churned))
    columns = {
        "day": np.broadcast_to(ends, (curves.shape[1], len(ends))),
        "at_risk": np.hstack([assigned, at_risk]).astype(int),
        "churned": np.hstack([np.zeros_like(assigned), churned]).astype(int),
        **intervals("kept_share", curves, mass),
        **above_control("lift", curves, mass),
    }
    scheme = np.repeat(trial.schemes, len(ends))
    return pd.DataFrame({"scheme": scheme, **{name: values.ravel() for name, values in columns.items()}})


def trend(followed: Followed) -> Trend:
    """Test for a trend of leaving over periods of assignment.

    Score test of Cox's model with the number of the period, stratified by scheme, stratum and day (the
    log-rank test for trend: Tarone 1975, Biometrika 62, 679-682).
    """
    number = np.arange(len(followed.periods), dtype=float)
    n, gone = followed.at_risk, followed.churned
    everyone, leavers = n.sum(axis=2), gone.sum(axis=2)
    held = everyone > 1
    parts = np.divide(n, everyone[:, :, None], out=np.zeros_like(n), where=held[:, :, None])
    mean = np.einsum("p,aspj->asj", number, parts)
    spread = np.einsum("p,aspj->asj", number**2, parts) - mean**2
    off = np.einsum("p,aspj->asj", number, gone) - leavers * mean
    kept = np.divide(everyone - leavers, everyone - 1, out=np.zeros_like(everyone), where=held)
    variance = float((leavers * kept * spread)[held].sum())
    p_value = two_sided(float(off[held].sum()) / math.sqrt(variance)) if variance > 0 else float("nan")
    return Trend(p_value, variance, len(followed.periods))


def _truth(trial: Trial, horizon: int) -> dict[str, float]:
    known = trial.meta.get("truth", {}).get(trial.name)
    if known is None or known["horizon_days"] != horizon:
        return {}
    return {str(row["scheme"]): float(row["kept"]) for row in known["schemes"]}
