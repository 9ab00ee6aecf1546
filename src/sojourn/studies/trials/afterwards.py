"""What happens after the reward: a cliff, payments pulled forward, novelty that wears off."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pandas as pd

from sojourn.core.ranges import in_range
from sojourn.core.results.trial_after import Afterwards
from sojourn.core.results.trial_plan import TrialPlan
from sojourn.core.results.trials import Trial
from sojourn.studies.trials.normal_bounds import Floats, bounded, log_bounded
from sojourn.studies.trials.told import not_told, told_of
from sojourn.studies.trials.weekly import WEEK, Weekly, weekly

#: Weeks of the reward that a trend needs.
_TREND_WEEKS = 3
_HAD_LEFT = "This trial is of members who had left: nobody is followed week by week to the end of a reward."


def afterwards(
    trial: Trial, plan: TrialPlan, *, mass: float, reward_days: int | None = None, scheme: str | None = None
) -> Afterwards:
    """Look at the weeks while a reward runs and after it has ended.

    Parameters
    ----------
    trial : Trial
        Its cells need the table ``after``.
    plan : TrialPlan
        Its ``wash_out_days`` say for how long after the reward members are looked at.
    mass : float
        Probability mass of every interval, in (0, 1).
    reward_days : int, optional
        For how many days after assignment the reward runs; as the cells say when not given.
    scheme : str, optional
        The scheme that is told of; the one that keeps most when not given.

    Returns
    -------
    Afterwards
        Empty, with the reason, where weeks, the length of the reward or a wash-out are not there.

    Notes
    -----
    A week in which the reward ends belongs to neither side. Shares of all assigned are Kaplan-Meier by week
    with Greenwood's variance; paces are members who left over member-weeks, and their ratio's logarithm is
    normal. The pace after the reward is of those still there, who differ where a scheme has kept others:
    `lift_lost` compares all who were assigned. Amounts of several weeks take any two weeks of a member to go
    together by one correlation, which is that of the value days.
    """
    in_range(mass, "mass", gt=0, lt=1)
    days = int(trial.meta.get("reward_days", 0)) if reward_days is None else reward_days
    in_range(days, "reward_days", ge=0)
    currency = str(trial.meta.get("currency", ""))
    about = (trial.name, trial.control, currency, days, plan.wash_out_days, mass)
    empty = Afterwards(*about, scheme=told_of(trial, scheme))
    if trial.wins_back:
        return replace(empty, why_empty=_HAD_LEFT)
    made = weekly(trial)
    begin, end = -(-days // WEEK), (days + plan.wash_out_days) // WEEK
    why = _why_not(made, days, begin, end)
    if made is None:
        why = not_told(trial, "after", "what happened week by week, so nothing of the end of a reward", why)
    if made is None or why:
        return replace(empty, why_empty=why)
    during, after = slice(0, days // WEEK), slice(begin, end)
    return replace(
        empty,
        table=_table(trial, made, during, after, mass),
        trends=_trends(trial, made, during.stop, mass),
        weeks=_weeks(trial, made, mass),
        least=max(trial.min_group, 1),
    )


def _why_not(made: Weekly | None, days: int, begin: int, end: int) -> str:
    if made is None:
        return (
            "These cells do not tell weeks after assignment, so nothing is said of the time after a reward."
        )
    if days < WEEK:
        return "How long the reward runs is not known, so the time after it cannot be told from before."
    if begin >= end:
        return "No wash-out of a week or more is planned, so nothing is said of the time after the reward."
    if made.weeks < end:
        return (
            f"Members have not been followed to the end of the wash-out, {end} weeks after assignment: "
            "what happens after the reward is not known yet."
        )
    return ""


def _table(trial: Trial, made: Weekly, during: slice, after: slice, mass: float) -> pd.DataFrame:
    normal = NormalDist()
    columns: dict[str, Floats] = {}
    for name, weeks in (("times_during", during), ("times_after", after)):
        pace, variance = made.pace(weeks)
        columns |= log_bounded(name, pace[1:] / pace[0], variance[1:] + variance[0], mass)
        z = np.log(pace[1:] / pace[0]) / np.sqrt(variance[1:] + variance[0])
    columns["p_cliff"] = np.array([normal.cdf(value) for value in z])
    for name, weeks in (("lift_at_end", after.start), ("lift_after", after.stop)):
        share, variance = made.there(weeks)
        columns |= bounded(name, share[1:] - share[0], variance[1:] + variance[0], mass)
    gone, variance = _gone(made, after)
    columns |= bounded("lift_lost", gone[1:] - gone[0], variance[1:] + variance[0], mass)
    if made.paid.any():
        whole = slice(0, after.stop)
        for name, weeks in (("during", during), ("after", after), ("both", whole)):
            mean, variance = made.amounts(weeks)
            columns |= bounded(f"amount_{name}", mean[1:] - mean[0], variance[1:] + variance[0], mass)
            if name == "after":
                z = (mean[0] - mean[1:]) / np.sqrt(variance[1:] + variance[0])
                columns["p_pulled"] = np.array([normal.cdf(value) for value in z])
    n = (made.at_risk[1:, 0] + made.at_risk[0, 0]).astype(int)
    return pd.DataFrame({"scheme": trial.schemes[1:], "n": n, **columns})


def _gone(made: Weekly, after: slice) -> tuple[Floats, Floats]:
    """Return the share of all assigned who leave in the wash-out, and its variance.

    The share there at its begin and the share of those who then stay are uncorrelated.
    """
    share, variance = made.there(after.start)
    later, _ = made.there(after.stop)
    stays = later / share
    left, at_risk = made.left[:, after], made.at_risk[:, after]
    spread = stays**2 * (left / (at_risk * np.maximum(at_risk - left, 1))).sum(axis=1)
    return share - later, (1 - stays) ** 2 * variance + share**2 * spread


def _trends(trial: Trial, made: Weekly, weeks: int, mass: float) -> pd.DataFrame:
    """Return the line through the weekly lifts while the reward runs, by scheme and measure."""
    if weeks < _TREND_WEEKS:
        return pd.DataFrame()
    measures = [("came", *_shares(made.active, made.at_risk))]
    if made.paid.any():
        measures.append(("paid", *_means(made)))
    rows = [
        {"scheme": scheme, "measure": name} | _line(lift[i, :weeks], variance[i, :weeks], mass)
        for name, mean, own in measures
        for lift, variance in [(mean[1:] - mean[:1], own[1:] + own[:1])]
        for i, scheme in enumerate(trial.schemes[1:])
    ]
    return pd.DataFrame(rows)


def _shares(k: Floats, n: Floats) -> tuple[Floats, Floats]:
    share = k / n
    return share, np.maximum(share * (1 - share), 0.25 / n) / n


def _means(made: Weekly) -> tuple[Floats, Floats]:
    mean = made.paid / made.at_risk
    return mean, (made.paid_sq / made.at_risk - mean**2) / made.at_risk


def _line(lift: Floats, variance: Floats, mass: float) -> dict[str, float]:
    """Return a line through weekly lifts by weighted least squares, weeks taken to err independently.

    What a member does in all weeks alike moves all lifts together and not the slope, so its interval is
    rather too wide than too narrow.
    """
    week, weight = np.arange(len(lift)), 1 / np.maximum(variance, 1e-18)
    middle = (weight * week).sum() / weight.sum()
    spread = (weight * (week - middle) ** 2).sum()
    slope = float((weight * (week - middle) * lift).sum() / spread)
    level = float((weight * lift).sum() / weight.sum())
    told = {name: float(value) for name, value in bounded("per_week", slope, 1 / spread, mass).items()}
    return {
        "first": level - slope * float(middle),
        "last": level + slope * float(len(lift) - 1 - middle),
        **told,
        "p_fading": NormalDist().cdf(-slope * float(np.sqrt(spread))),
    }


def _weeks(trial: Trial, made: Weekly, mass: float) -> pd.DataFrame:
    grid = pd.MultiIndex.from_product([trial.schemes, range(made.weeks)], names=["scheme", "week"])
    told = {
        ("leaving_rate", "leaving_lift"): _shares(made.left, made.at_risk),
        ("active_share", "active_lift"): _shares(made.active, made.at_risk),
    }
    if made.paid.any():
        told["amount", "amount_above_control"] = _means(made)
    columns: dict[str, Floats] = {}
    blank = np.where(np.arange(len(trial.schemes)) > 0, 1.0, np.nan)[:, None]
    for (level, difference), (mean, variance) in told.items():
        columns |= bounded(level, mean, variance, mass)
        columns |= bounded(difference, blank * (mean - mean[:1]), variance + variance[:1], mass)
    frame = grid.to_frame(index=False).assign(at_risk=made.at_risk.ravel().astype(int))
    return frame.assign(**{name: values.ravel() for name, values in columns.items()})
