"""Closed forms: what is expected of each kind of member under each scheme, without drawing anything.

A member of some kind under some scheme is there at time t with probability S(t) = exp(-H(t)). Sessions
are a Poisson process of known rate of which a share ``quiet`` remains in the last ``quiet_days`` before
leaving, so the share of day j's sessions that take place is ``quiet A(j) + (1 - quiet) A(j +
quiet_days)``, where A(j) is the mean of S over day j. Revenue, refunds and costs are sums of these over
the days of the horizon. A member's own level of activity has mean 1 and is independent of leaving,
weekday factors have mean 1: both drop out. The one approximation is that sessions follow the hours of the
day while leaving does not: below 0.1 % of any amount.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.world.activity import novelty
from sojourn.world.clock import Floats
from sojourn.world.costs import cost_table
from sojourn.world.hazards import Hazards, in_reward, segment_of
from sojourn.world.money import mean_amount
from sojourn.world.parameters import WorldParameters


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected over the horizon of the trial, from members still active at assignment.

    Attributes
    ----------
    kept : array (schemes, kinds)
        Probability of still being a member at the end of the horizon.
    revenue, cost : array (schemes, kinds)
        Money per member, refunds taken off; incentives per member.
    value : array (schemes, kinds)
        Net value per member: margin times revenue, less cost.
    """

    kept: Floats
    revenue: Floats
    cost: Floats
    value: Floats


def expect(parameters: WorldParameters, hazards: Hazards) -> Expected:
    """Return expectations over the trial's horizon for every scheme and kind of member."""
    trial, hidden = parameters.trial, segment_of(parameters)
    end = trial.day + trial.horizon_days
    bought, refunded = _purchases(parameters, hazards)
    amounts = np.array([mean_amount(parameters.activity, s.price) for s in parameters.segments])[hidden]
    revenue = amounts * (bought - refunded).sum(axis=-1)
    rewarded = (bought * in_reward(trial, end)[trial.day :]).sum(axis=-1)
    at_start, per_purchase = (cost_table(trial, what)[:, hidden] for what in ("at_start", "per_purchase"))
    cost = at_start + per_purchase * rewarded
    kept = hazards.survival[..., end] / hazards.survival[..., trial.day]
    return Expected(kept, revenue, cost, trial.margin * revenue - cost)


def _purchases(parameters: WorldParameters, hazards: Hazards) -> tuple[Floats, Floats]:
    """Return expected purchases and refunds on each day of the horizon, given activity at assignment."""
    trial, activity, churn = parameters.trial, parameters.activity, parameters.churn
    first, days = trial.day, trial.horizon_days
    there = hazards.mean_survival[..., first:] / hazards.survival[..., first : first + 1]
    rate = _purchase_rate(parameters, first + days)

    def happening(delay: int) -> Floats:
        """Share of what was done `delay` days ago that happened and whose doer is still there."""
        soon = churn.quiet_days - delay
        found: Floats = churn.quiet * there[..., :days] + (1 - churn.quiet) * there[..., soon : soon + days]
        return found

    bought = rate[..., first:] * happening(0)
    late = [
        rate[..., first - delay : first - delay + days] * happening(delay) for delay in activity.refund_days
    ]
    return bought, activity.refunds * np.mean(late, axis=0)


def _purchase_rate(parameters: WorldParameters, days: int) -> Floats:
    """Return purchases per day of a member who stays, by scheme, kind and day since joining."""
    hidden = segment_of(parameters)
    usual = np.array([s.sessions * s.buys for s in parameters.segments])[hidden]
    factors = np.array([s.buys for s in parameters.trial.schemes])[:, hidden]
    scheme = 1 + (factors[..., None] - 1) * in_reward(parameters.trial, days)
    rate: Floats = scheme * usual[:, None] * novelty(parameters.activity, days)
    return rate
