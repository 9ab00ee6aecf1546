"""Whether an early outcome stands for the late one: examined over the trials of a case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from sojourn.core.cells import Cells
from sojourn.core.interval import Interval
from sojourn.core.ranges import in_range
from sojourn.core.results.portfolio import ProxyExam, ProxyVerdict
from sojourn.core.text import listing, plural
from sojourn.estimators.bayes.by_lot import CONTROLS, LEAST
from sojourn.estimators.bayes.model import Floats
from sojourn.estimators.bayes.proxy import Effects, ProxyFit, fit_proxy, spread_p
from sojourn.studies.portfolio.effects import described, in_plain_words, outcomes, trial_effects

#: Fewer trials cannot be judged.
LEAST_TRIALS = 20
#: Effects spread over trials when no spread is less likely than this.
NO_SPREAD = 0.05
_DRAWS, _PLACES = 8000, 41


def proxy_exam(
    cells: Cells,
    outcome: str,
    *,
    rng: np.random.Generator,
    least: float = 0.5,
    sure: float = 0.8,
    mass: float = 0.95,
    control: str | Sequence[str] = CONTROLS,
    min_group: int = LEAST,
) -> ProxyExam:
    """Examine whether the early outcome of the cells stands for a late one.

    Parameters
    ----------
    cells : Cells
        With the table ``trials`` and its early outcome; see `trial_effects`.
    outcome : str
        The late outcome.
    rng : Generator
        Source of posterior draws.
    least, sure : float
        Accepted when true early effects explain at least a share `least` of true late ones with probability
        `sure` or more; refused at ``1 - sure`` or less.
    mass : float
        Probability mass of every interval.
    control : str or sequence of str
        Scheme with which the others of a trial are compared: the first of these names that the trial has.
    min_group : int
        Schemes with fewer members who can be judged are left out.

    Notes
    -----
    Members who do well early do well late, so estimates of both effects go together even where nothing does
    anything; that part is known from the members and taken away (`sojourn.estimators.bayes.proxy`). Where
    effects do not spread over trials there is nothing that could stand for anything: "cannot be judged".
    """
    for name, value in (("least", least), ("sure", sure), ("mass", mass)):
        in_range(value, name, gt=0, lt=1)
    blank = described(cells, outcome) | {
        "early_words": _early_words(cells),
        "mass": mass,
        "least": least,
        "sure": sure,
        "verdict": "cannot be judged",
    }
    if outcome not in outcomes(cells):
        return ProxyExam(**blank, why_empty="There are no cells of several trials with this outcome.")
    effects = trial_effects(cells, outcome, control=control, min_group=min_group)
    effects = effects[effects["early_error"].gt(0) & effects["covariance"].notna()].reset_index(drop=True)
    trials = effects["trial"].nunique()
    if trials < 3:
        return ProxyExam(**blank, trials=trials, why_empty=_no_early(trials))
    return _examined(blank, effects, trials, rng)


def _early_words(cells: Cells) -> str:
    days = cells.meta.get("early_days")
    return f"how often members come in the first {days} days" if days else in_plain_words(cells, "early")


def _no_early(trials: int) -> str:
    return f"An early and a late effect are known of {plural(trials, 'trial')}: too few to compare."


def _examined(
    blank: dict[str, Any], effects: pd.DataFrame, trials: int, rng: np.random.Generator
) -> ProxyExam:
    measured = _measured(effects)
    of: dict[str, Any] = {
        "trials": trials,
        "naive": measured.naive_correlation(),
        "within": float((measured.covariance / np.sqrt(measured.early_var * measured.late_var)).mean()),
        "p_spread_early": spread_p(measured.early, measured.early_var),
        "p_spread_late": spread_p(measured.late, measured.late_var),
        "table": _table(effects, blank["mass"]),
    }
    reason = _reason(trials, of["p_spread_early"], of["p_spread_late"])
    if reason:
        return ProxyExam(**blank, **of, reason=reason)
    fit = fit_proxy(measured)
    chance = fit.p_explained(blank["least"])
    verdict = _verdict(chance, blank["sure"])
    return ProxyExam(
        **blank | {"verdict": verdict}, **of, p_explained=chance, **_said(fit, measured, blank["mass"], rng)
    )


def _measured(effects: pd.DataFrame) -> Effects:
    columns = ("early", "effect", "early_error", "error", "covariance")
    early, late, early_error, error, covariance = (effects[name].to_numpy(float) for name in columns)
    return Effects(early, late, early_error**2, error**2, covariance)


def _reason(trials: int, p_early: float, p_late: float) -> str:
    """Return why nothing can be said, or nothing."""
    if trials < LEAST_TRIALS:
        return f"There are {plural(trials, 'trial')}; the exam needs {LEAST_TRIALS} or more."
    flat = [name for name, p in (("early", p_early), ("late", p_late)) if p > NO_SPREAD]
    if not flat:
        return ""
    return (
        f"The {listing(flat)} effects of these trials do not differ by more than chance, so there is nothing "
        "that one could tell of the other."
    )


def _verdict(chance: float, sure: float) -> ProxyVerdict:
    if chance >= sure:
        return "accepted"
    return "refused" if chance <= 1 - sure else "undecided"


def _said(fit: ProxyFit, measured: Effects, mass: float, rng: np.random.Generator) -> dict[str, Any]:
    """Return what is explained, and the late effect that early ones predict."""
    drawn = fit.draw(_DRAWS, rng=rng)
    named = {name: _interval(values, mass) for name, values in drawn.items()}
    at = np.linspace(measured.early.min(), measured.early.max(), _PLACES)
    noise = drawn["left"] * rng.standard_normal(_DRAWS)
    late = drawn["intercept"][:, None] + drawn["slope"][:, None] * at + noise[:, None]
    low, high = np.quantile(late, [(1 - mass) / 2, (1 + mass) / 2], axis=0)
    line = pd.DataFrame({"early": at, "late": late.mean(axis=0), "late_low": low, "late_high": high})
    above = np.flatnonzero(low > 0)
    return {**named, "line": line, "surely_above": float(at[above[0]]) if above.size else float("nan")}


def _interval(drawn: Floats, mass: float) -> Interval:
    low, middle, high = np.quantile(drawn, [(1 - mass) / 2, 0.5, (1 + mass) / 2])
    return Interval(float(middle), float(low), float(high), mass, "eti")


def _table(effects: pd.DataFrame, mass: float) -> pd.DataFrame:
    z = float(ndtri((1 + mass) / 2))
    made = effects[["trial", "scheme", "early"]].assign(late=effects["effect"])
    for name, error in (("early", "early_error"), ("late", "error")):
        made[f"{name}_low"], made[f"{name}_high"] = (
            made[name] - z * effects[error],
            made[name] + z * effects[error],
        )
    return made[
        ["trial", "scheme", *(f"{name}{end}" for name in ("early", "late") for end in ("", "_low", "_high"))]
    ]
