"""The gate: predictions are used only when they held on members who were held out in time.

Equivalence, not a test of significance: predictions pass when they are surely close enough, so little data
never passes. The demand is stated beforehand (`ici_max`, `RATIO`), the same for a thousand members and a
million.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sojourn.core.errors import UndefinedError
from sojourn.core.interval import Interval
from sojourn.core.results.check import Check, Verdict
from sojourn.core.results.retention_gate import Gate
from sojourn.core.text import count, number, percent
from sojourn.estimators.survival.scores import (
    Held,
    auc,
    brier,
    calibration_curve,
    d_calibration,
    ici,
    ici_of_the_right_model,
    integrated_brier,
    known_after,
    observed_share,
    predicted_share,
)
from sojourn.estimators.survival.shares import exact_share

#: Predicted over observed leavers may differ from 1 by so much.
RATIO = 0.10
#: So many must have left for that ratio to be judged: its relative standard error is then under 6 %.
LEAST_LEFT = 300
#: Mass below the upper bound of the ICI.
MASS = 0.90
_MOST_BINS = 10
#: Measured by ``calibration/gate.py``, by members held out: share of models 1.5 times too high that are not
#: let through, and share of right models that are not, among few because they cannot be judged.
GATE_RATES = {20_000: (1.0, 0.0), 5_000: (1.0, 0.1075), 1_000: (1.0, 1.0)}


def examine(
    held: Held,
    *,
    days: Sequence[int],
    step: int,
    unit: str,
    model: str,
    ici_max: float = 0.02,
    leaving: str = "cancellation",
) -> Gate:
    """Return whether predictions held.

    Parameters
    ----------
    held : Held
        Held-out members in steps of `step`.
    days : sequence of int
        Horizons at which predictions are used, in `unit`; each a whole number of steps or cut to one.
    step : int
        Length of a step, in `unit`.
    unit, model, leaving : str
        As in `Gate`.
    ici_max : float
        Largest mean difference allowed between predicted and observed shares.
    """
    steps = sorted({min(day // step, held.stay.shape[1]) for day in days if day >= step})
    if not steps:
        return Gate(unit, model, "cannot be judged", ici_max, MASS, why_empty=_too_short(step, unit))
    try:
        rows = [_at(held, at, step, ici_max) for at in steps]
    except UndefinedError as reason:
        return Gate(
            unit,
            model,
            "cannot be judged",
            ici_max,
            MASS,
            held.members,
            why_empty=str(reason),
            leaving=leaving,
        )
    table = pd.DataFrame(rows)
    return Gate(
        unit=unit,
        model=model,
        verdict=_worst([row["verdict"] for row in rows]),
        ici_max=ici_max,
        mass=MASS,
        members=held.members,
        table=table,
        bins=_bins(held, steps[-1]),
        integrated_brier=integrated_brier(held),
        d_calibration=float(np.abs(d_calibration(held).shares - 0.1).max()),
        leaving=leaving,
    )


def _too_short(step: int, unit: str) -> str:
    return f"No horizon is as long as the {step} {unit}s of a step, so predictions were not examined."


def _at(held: Held, at: int, step: int, ici_max: float) -> dict[str, object]:
    """Return one row of the table."""
    known = known_after(held, at)
    left = round(float((known.n * known.gone).sum()))
    predicted, observed = predicted_share(held, at), observed_share(held, at)
    off, order = ici(held, at, mass=MASS), auc(held, at)
    ratio = predicted / observed if observed else float("nan")
    return {
        "duration": at * step,
        "left": left,
        "p_predicted": predicted,
        "p_observed": observed,
        "ratio": ratio,
        "ici": off.value,
        "ici_high": off.high,
        "brier": brier(held, at),
        "brier_plain": observed * (1 - observed),
        "auc": order.value,
        "auc_low": order.low,
        "auc_high": order.high,
        "verdict": verdict(off, ratio, left, _finest(held, at), ici_max),
    }


def verdict(off: Interval, ratio: float, left: int, finest: float, ici_max: float) -> Verdict:
    """Return what follows at one horizon.

    Parameters
    ----------
    off : Interval
        ICI with its bounds.
    ratio : float
        Predicted over observed leavers.
    left : int
        Observed leavers.
    finest : float
        Upper bound of the ICI that a right model would have here: above `ici_max` nothing can pass.
    ici_max : float
        Largest ICI allowed.

    Notes
    -----
    Fails when the ICI is surely too large (its lower bound is above `ici_max`), or when enough left and the
    ratio is out of bounds, or when the bound is too large though that of a right model would not be. Too few
    members, or too few leavers, cannot be judged.
    """
    if off.low > ici_max:
        return "fail"
    if left < LEAST_LEFT or finest > ici_max:
        return "cannot be judged"
    return "pass" if off.high <= ici_max and abs(ratio - 1) <= RATIO else "fail"


def _finest(held: Held, at: int) -> float:
    return ici_of_the_right_model(calibration_curve(known_after(held, at)), held, at, mass=MASS)


def _worst(verdicts: Sequence[object]) -> Verdict:
    order: tuple[Verdict, ...] = ("fail", "cannot be judged")
    return next((one for one in order if one in verdicts), "pass")


def _bins(held: Held, at: int) -> pd.DataFrame:
    """Return members in bins of about equal size by predicted risk, with what was observed."""
    known = known_after(held, at)
    order = np.argsort(known.risk, kind="stable")
    mass = (known.n * known.weight)[order]
    place = np.minimum((np.cumsum(mass) - mass / 2) / mass.sum() * _MOST_BINS, _MOST_BINS - 1e-9).astype(int)
    _, first = np.unique(known.risk[order], return_index=True)
    same = np.repeat(place[first], np.diff(np.append(first, len(order))))  # equal predictions stay together
    sums = pd.DataFrame(
        {
            "bin": same,
            "members": known.n[order],
            "mass": mass,
            "risk": mass * known.risk[order],
            "gone": mass * known.gone[order],
        }
    )
    by_bin = sums.groupby("bin").sum()
    by_bin = by_bin[by_bin["members"] > 0]
    n = by_bin["members"].to_numpy().round().astype(np.int64)
    observed = (by_bin["gone"] / by_bin["mass"]).to_numpy()
    low, high = exact_share((observed * n).round().astype(np.int64), n, 0.95)
    predicted = (by_bin["risk"] / by_bin["mass"]).to_numpy()
    return pd.DataFrame(
        {
            "members": n,
            "p_predicted": predicted,
            "p_observed": observed,
            "p_observed_low": low,
            "p_observed_high": high,
        }
    )


def check_gate(gate: Gate) -> list[Check]:
    """Return the gate as a check of the page: a model that does not pass feeds no forecast."""
    name = "Predictions held afterwards"
    if gate.why_empty:
        return [
            Check(name, "warn", f"Not known. {gate.why_empty}", "Nothing is predicted for single groups.")
        ]
    row = gate.table.iloc[-1]
    after = f"{int(row['duration'])} {gate.unit}s"
    finding = (
        f"Of {count(gate.members)} members held out, {percent(row['p_predicted'])} were predicted to leave "
        f"within {after} and {percent(row['p_observed'])} did; by kind of member they differ by "
        f"{number(100 * row['ici'])} in 100 on average (surely under {number(100 * row['ici_high'])})."
    )
    meaning = {
        "pass": "Close enough for a forecast.",
        "fail": "Not close enough: no forecast is shown.",
        "cannot be judged": "Too few were held out to say that they are close enough: no forecast is shown.",
    }[gate.verdict]
    shown: Verdict = "pass" if gate.open else "warn"  # the answer itself rests on no prediction
    like = next((n for n in GATE_RATES if n <= gate.members), min(GATE_RATES))
    source = f"400 worlds with {count(like)} members held out; fault: hazards predicted 1.5 times too high"
    return [Check(name, shown, finding, meaning, *GATE_RATES[like], source)]
