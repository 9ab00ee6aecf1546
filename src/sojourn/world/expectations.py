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
    trial = parameters.trial
    end = trial.day + trial.horizon_days
    survival = hazards.survival
    bought, back = _purchases(parameters, hazards)
    within = slice(trial.day, end)
    amounts = np.array([mean_amount(parameters.activity, s.price) for s in parameters.segments])
    amounts = amounts[segment_of(parameters)]
    revenue = amounts * (bought[..., within].sum(axis=-1) - back[..., within].sum(axis=-1))
    rewarded = (bought * in_reward(trial, bought.shape[-1])).sum(axis=-1)
    cost = _by_kind(parameters, "at_start") + _by_kind(parameters, "per_purchase") * rewarded
    kept = survival[..., end] / survival[..., trial.day]
    return Expected(kept, revenue, cost, trial.margin * revenue - cost)


def _by_kind(parameters: WorldParameters, what: str) -> Floats:
    found: Floats = cost_table(parameters.trial, what)[:, segment_of(parameters)]
    return found


def _purchases(parameters: WorldParameters, hazards: Hazards) -> tuple[Floats, Floats]:
    """Return expected purchases and refunds per day since joining, given activity at assignment."""
    trial, activity, churn = parameters.trial, parameters.activity, parameters.churn
    days = trial.day + trial.horizon_days
    there = _given_active(hazards, trial.day, days + churn.quiet_days)
    rate = _purchase_rate(parameters, days)
    bought = rate * _happening(there[..., :days], there[..., churn.quiet_days :], churn.quiet)
    back = np.zeros_like(bought)
    for delay in activity.refund_days:
        earlier = rate[..., : days - delay]
        later = _happening(
            there[..., delay:days],
            there[..., churn.quiet_days : days + churn.quiet_days - delay],
            churn.quiet,
        )
        back[..., delay:] += activity.refunds / len(activity.refund_days) * earlier * later
    return bought, back


def _happening(now: Floats, soon: Floats, quiet: float) -> Floats:
    """Return the share of events that happen: there now, and thinned when not there `quiet_days` on."""
    return quiet * now + (1 - quiet) * soon


def _given_active(hazards: Hazards, day: int, days: int) -> Floats:
    """Return the mean probability of being there on each day, given being there at the start of `day`."""
    there = hazards.mean_survival[..., :days] / hazards.survival[..., day : day + 1]
    there[..., :day] = 1.0
    return there


def _purchase_rate(parameters: WorldParameters, days: int) -> Floats:
    """Return purchases per day of a member who stays, by scheme, kind and day since joining."""
    usual = np.array([s.sessions * s.buys for s in parameters.segments])
    factors = np.array([s.buys for s in parameters.trial.schemes])
    rewarded = in_reward(parameters.trial, days)
    scheme = 1 + (factors[:, segment_of(parameters), None] - 1) * rewarded
    rate: Floats = scheme * usual[segment_of(parameters), None] * novelty(parameters.activity, days)
    return rate
