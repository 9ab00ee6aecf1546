"""What a scheme costs for those who would have stayed, or paid, without it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from sojourn.core.normal import standard_errors
from sojourn.core.ranges import in_range
from sojourn.core.results.trial_after import Deadweight
from sojourn.core.results.trials import Trial
from sojourn.studies.trials.arms import make_arms
from sojourn.studies.trials.normal_bounds import Floats, log_bounded
from sojourn.studies.trials.told import told_of
from sojourn.studies.trials.weekly import WEEK, weekly


def deadweight(
    trial: Trial, outcome: str, *, mass: float, reward_days: int | None = None, scheme: str | None = None
) -> Deadweight:
    """Estimate which part of those kept or back, and of what is paid, would have been there without a scheme.

    Parameters
    ----------
    trial : Trial
        It needs the values ``revenue`` and ``net_value``, from which costs follow.
    outcome : str
        A binary outcome of the trial that counts as staying or, where members had left, as being back.
    mass : float
        Probability mass of every interval, in (0, 1).
    reward_days : int, optional
        For how many days after assignment the reward runs; as the cells say when not given.
    scheme : str, optional
        The scheme that is told of; of those that cost something, the one that keeps most when not given.

    Notes
    -----
    Of those kept under a scheme, the share p₀/p₁ would be kept without it if it makes nobody leave. Its
    logarithm is taken as normal (delta method). The cost of one more member kept is the mean cost over the
    lift; its bounds are those of the lift, as the error of the cost is small beside it.
    """
    in_range(mass, "mass", gt=0, lt=1)
    currency = str(trial.meta.get("currency", ""))
    about = (trial.name, trial.control, currency, outcome, trial.words(outcome), mass)
    empty = Deadweight(*about, scheme=told_of(trial, scheme))
    costs = costs_per_member(trial)
    if costs is None:
        return replace(empty, why_empty="What schemes cost is not known, so nothing is said of its waste.")
    if not (costs[1:] > 0).any():
        return replace(empty, why_empty="No scheme costs anything, so nothing is spent in vain.")
    arms = make_arms(trial, outcome)
    kept, variance = arms.standardised()
    if (kept <= 0).any():
        why = f"Under a scheme there are no members who {trial.words(outcome)}: nothing can be divided."
        return replace(empty, why_empty=why)
    days = int(trial.meta.get("reward_days", 0)) if reward_days is None else reward_days
    relative = variance / kept**2
    table = pd.DataFrame(
        {
            "scheme": trial.schemes[1:],
            "n": arms.members.sum(axis=1)[1:].astype(int),
            "cost": costs[1:],
            **_share("kept_anyway_share", kept[0] / kept[1:], relative[1:] + relative[0], mass),
            **_paid_anyway(trial, days, mass),
            **_cost_of_one(costs[1:], kept[1:] - kept[0], variance[1:] + variance[0], mass),
        }
    )
    return replace(empty, table=table)


def costs_per_member(trial: Trial) -> Floats | None:
    """Return what every scheme costs per member, control first: margin on revenue less net value."""
    if not {"revenue", "net_value"} <= set(trial.outcomes) or "margin" not in trial.meta:
        return None
    if "protected" in trial.meta and trial.other("exposed").empty:  # nothing is booked
        return stated_costs(trial)
    revenue, net = (make_arms(trial, name).standardised()[0] for name in ("revenue", "net_value"))
    found: Floats = np.round(float(trial.meta["margin"]) * revenue - net, 9)
    return found


def stated_costs(trial: Trial) -> Floats:
    """Return what every scheme costs per member as the parameters state it, control first."""
    stated = trial.meta.get("cost_per_member", {})
    return np.array([float(stated.get(scheme, 0)) for scheme in trial.schemes])


def _share(name: str, value: Floats, variance: Floats, mass: float) -> dict[str, Floats]:
    """Return a share with bounds; no more than all."""
    columns = log_bounded(name, value, variance, mass)
    return {column: np.minimum(values, 1.0) for column, values in columns.items()}


def _paid_anyway(trial: Trial, days: int, mass: float) -> dict[str, Floats]:
    """Return what control pays while the reward runs over what is paid under each scheme."""
    made, weeks = weekly(trial), slice(0, days // WEEK)
    if made is None or not weeks.stop or made.weeks < weeks.stop:
        return {}
    paid, variance = made.amounts(weeks)
    if (paid <= 0).any():
        return {}
    relative = variance / paid**2
    return _share("paid_anyway_share", paid[0] / paid[1:], relative[1:] + relative[0], mass)


def _cost_of_one(costs: Floats, lift: Floats, variance: Floats, mass: float) -> dict[str, Floats]:
    reach = standard_errors(mass) * np.sqrt(variance)
    low, high = lift - reach, lift + reach
    some = lift > 0
    return {
        "more_kept_lift": lift,
        "more_kept_lift_low": low,
        "more_kept_lift_high": high,
        "cost_of_one": np.where(some, costs / np.where(some, lift, 1), np.nan),
        "cost_of_one_low": np.where(some, costs / np.where(some, high, 1), np.nan),
        "cost_of_one_high": np.where(low > 0, costs / np.where(low > 0, low, 1), np.nan),
    }
