"""Closed forms: what is expected of members under each scheme of a trial, without drawing anything.

Given the course of a member's life, the hazard and the mean number of sessions of every day are known. The
member is there at time t after assignment with probability S(t) = exp(-H(t)). Sessions are a Poisson process
of which a share ``quiet`` remains in the last ``quiet_days`` before leaving, so the share of day j's sessions
that take place is ``quiet A(j) + (1 - quiet) A(j + quiet_days)``, where A(j) is the mean of S over day j.
Revenue, refunds and costs are sums of these over the days of the horizon; who has left may come back, which
adds the convolution of leaving with `hazards.back_by`. Weekday factors have mean 1 and drop out. The
approximations are that sessions follow the hours of the day while leaving does not, and that refunds after a
return are never lost: both below 0.1 % of any amount.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sojourn.world.arrays import Bools, Floats, Ints
from sojourn.world.members.enrolment import Enrolment, by_segment, in_reward, scheme_hazard, scheme_sessions
from sojourn.world.members.hazards import back_by, cumulative, mean_presence
from sojourn.world.members.people import OWN, of_segment
from sojourn.world.members.population import Population
from sojourn.world.parameters import Frame, Scheme, Trial, WorldParameters
from sojourn.world.tables.costs import cost_table
from sojourn.world.tables.events import buying_chance
from sojourn.world.tables.money import mean_amount
from sojourn.world.tables.sessions import second_pace

#: What is expected, in the order of the last axis of `Expected.sums`.
QUANTITIES: tuple[str, ...] = ("kept", "revenue", "cost", "rewarded", "deadweight")


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected over the horizon of one trial from the members assigned in one block.

    Attributes
    ----------
    rows : array of int
        Numbers of these members within the block.
    kept : array (schemes, rows)
        Probability of still being a member at the end of the horizon, had all been given the scheme.
    sums : array (schemes, segments, 5)
        Sums over members of `QUANTITIES`: kept; money, refunds taken off; money spent; purchases that were
        rewarded; and of these the number that would have been made without the scheme.
    """

    rows: Ints
    kept: Floats
    sums: Floats


@dataclass(frozen=True, slots=True)
class _Window:
    """Some members over the days from shortly before their assignment until after the horizon.

    ``hazard`` and ``sessions`` are without the trial; ``ready`` is the share of each day after the first
    value moment, and ``buys`` the probability of a purchase in a session under all other trials.
    ``own_hazard`` and ``own_sessions`` are the schemes' factors (schemes, segments, days). The first column
    is `before` days before assignment.
    """

    trial: Trial
    rows: Ints
    segment: Ints
    before: int
    day: Ints
    hazard: Floats
    sessions: Floats
    ready: Floats
    buys: Floats
    referrer: Ints
    own_hazard: Floats
    own_sessions: Floats


def expect(frame: Frame, block: Population, enrolment: Enrolment) -> Expected:
    """Return what is expected in one trial, had all members been given each scheme in turn.

    Where schemes spill over, those who brought a member count as given the same scheme.
    """
    window = _window(frame, block, enrolment)
    schemes, segments = len(enrolment.trial.schemes), len(frame.parameters.segments)
    sums = np.zeros((schemes, segments, len(QUANTITIES)))
    kept = np.zeros((schemes, len(window.rows)))
    paid = cost_table(frame, enrolment.trial, "per_purchase") > 0
    under = [_under(frame, block, window, code) for code in range(schemes)]
    for code, found in enumerate(under):
        kept[code] = found["kept"]
        wasted = np.minimum(under[0]["rewarded"], found["rewarded"])
        columns = [found["kept"], found["revenue"], found["cost"], found["rewarded"], wasted]
        for i, column in enumerate(columns):
            counted = column * paid[code][window.segment] if i >= len(QUANTITIES) - 2 else column
            sums[code, :, i] = np.bincount(window.segment, weights=counted, minlength=segments)
    return Expected(window.rows, kept, sums)


def _window(frame: Frame, block: Population, enrolment: Enrolment) -> _Window:
    churn, activity, trial = frame.parameters.churn, frame.parameters.activity, enrolment.trial
    rows = np.flatnonzero(block.assigned(enrolment))
    before = max(activity.refund_days)
    columns = enrolment.day[rows][:, None] + np.arange(-before, trial.horizon_days + churn.quiet_days)
    inside = np.clip(columns, 0, block.hazard.shape[1] - 1)
    where = rows[:, None], inside
    hazard, sessions = block.hazard[where], np.where(columns >= 0, block.sessions[where], 0.0)
    ready = np.clip(columns + 1 - block.people.value_day[rows][:, None], 0, 1)
    own = (_own(frame, trial, make, hazard.shape[1], before) for make in (scheme_hazard, scheme_sessions))
    buys = buying_chance(frame, block)[rows, None] * _others(frame, block, enrolment, rows, columns)
    window = _Window(
        trial, rows, block.people.segment[rows], before, enrolment.day[rows], hazard, sessions, ready, buys,
        block.referrer[rows], *own,
    )  # fmt: skip
    factual = enrolment.scheme[rows]
    theirs = np.where(window.referrer >= 0, enrolment.scheme[window.referrer], 0)
    spilling = (window.referrer >= 0) & enrolment.entitled[window.referrer]
    hazard /= window.own_hazard[factual, window.segment] * _spilled(frame, window, theirs, spilling)
    sessions /= window.own_sessions[factual, window.segment]
    return window


def _others(frame: Frame, block: Population, enrolment: Enrolment, rows: Ints, day: Ints) -> Floats:
    """Return the factor of all other trials on buying (rows, days of the window), as they were drawn."""
    found, segment = np.ones(day.shape), block.people.segment[rows]
    for other in block.enrolments:
        schemes = other.trial.schemes
        if other.trial.name == enrolment.trial.name or all(set(s.buys) == {1.0} for s in schemes):
            continue
        table = np.array([by_segment(s.buys, frame.parameters) for s in schemes])
        runs = other.entitled[rows, None] & in_reward(other.trial, day - other.day[rows, None])
        found *= np.where(runs, table[other.scheme[rows], segment][:, None], 1.0)
    return found


def _own(
    frame: Frame,
    trial: Trial,
    make: Callable[[Scheme, Trial, WorldParameters], Floats],
    days: int,
    before: int,
) -> Floats:
    """Return schemes' factors (schemes, segments, days of the window), 1 before and after they act."""
    factors = np.stack([make(scheme, trial, frame.parameters) for scheme in trial.schemes])
    table = np.ones((*factors.shape[:2], days))
    shown = min(factors.shape[2], days - before)
    table[..., before : before + shown] = factors[..., :shown]
    return table


def _spilled(frame: Frame, window: _Window, scheme: Ints, spilling: Bools) -> Floats:
    """Return the factors on the hazard (rows, days of the window) from those who brought members."""
    found = np.ones_like(window.hazard)
    if not window.trial.spill:
        return found
    factors = [
        scheme_hazard(s, window.trial, frame.parameters) ** window.trial.spill for s in window.trial.schemes
    ]
    padded = np.pad(np.stack(factors), ((0, 0), (0, 0), (0, 1)), constant_values=1.0)
    since = window.day[:, None] + np.arange(-window.before, found.shape[1] - window.before)
    last = padded.shape[2] - 1
    at = np.where((since >= 0) & (since < last), since, last)
    return np.where(spilling[:, None], padded[scheme[:, None], window.segment[:, None], at], 1.0)


def _under(frame: Frame, block: Population, window: _Window, code: int) -> dict[str, Floats]:
    """Return what is expected of each member under one scheme."""
    trial, churn, activity = window.trial, frame.parameters.churn, frame.parameters.activity
    scheme, segment, first = trial.schemes[code], window.segment, window.before
    spilling = window.referrer >= 0
    hazard = window.hazard * window.own_hazard[code, segment]
    hazard = hazard * _spilled(frame, window, np.full(len(segment), code), spilling)
    total = cumulative(hazard[:, first:])
    there = np.concatenate([np.ones((len(segment), first)), mean_presence(total)], axis=1)
    sessions = window.sessions * window.own_sessions[code, segment] * window.ready
    rewarded = in_reward(trial, np.arange(-first, hazard.shape[1] - first))
    bold = np.where(rewarded, by_segment(scheme.buys, frame.parameters)[segment][:, None], 1.0)
    buys = sessions * np.minimum(window.buys * bold, activity.dearest_session)
    usual = np.minimum(buying_chance(frame, block)[window.rows], activity.dearest_session)

    def happening(delay: int) -> Floats:
        """Purchases made `delay` days before each day of the horizon by members still there on it."""
        days, soon = trial.horizon_days, churn.quiet_days - delay
        share = churn.quiet * there[:, first : first + days]
        share = share + (1 - churn.quiet) * there[:, first + soon : first + soon + days]
        return np.asarray(buys[:, first - delay : first - delay + days] * share)

    bought = happening(0)
    refunded = activity.refunds * np.mean([happening(d).sum(axis=1) for d in activity.refund_days], axis=0)
    in_time = bought[:, : trial.reward_days].sum(axis=1)
    amount = amounts(frame, block)[window.rows]
    again = _after_return(frame, block, window, total)
    cost = cost_table(frame, trial, "at_start")[code][segment]
    cost = cost + cost_table(frame, trial, "per_purchase")[code][segment] * in_time
    return {
        "kept": np.exp(-total[:, trial.horizon_days]),
        "revenue": amount * (bought.sum(axis=1) - refunded + again * usual * (1 - activity.refunds)),
        "cost": cost,
        "rewarded": in_time,
    }


def amounts(frame: Frame, block: Population) -> Floats:
    """Return each member's mean amount of a purchase."""
    people = block.people
    price = of_segment(frame.parameters, "price")[people.segment] * people.own[:, OWN.index("price")]
    return mean_amount(frame.parameters.activity, price)


def _after_return(frame: Frame, block: Population, window: _Window, total: Floats) -> Floats:
    """Return each member's expected number of ready sessions within the horizon after a return."""
    parameters, days = frame.parameters, window.trial.horizon_days
    again = parameters.churn.again * of_segment(parameters, "hazard")
    back = back_by(parameters.churn, again, days)
    gone = -np.diff(np.exp(-total[:, : days + 1]), axis=1)
    stays = np.zeros(len(window.rows))
    for code, chances in enumerate(back):
        rows = np.flatnonzero(window.segment == code)
        stays[rows] = (gone[rows] * np.cumsum(chances)[::-1]).sum(axis=1)
    ready = np.isfinite(block.people.value_day[window.rows])
    return np.asarray(stays * second_pace(frame, block)[window.rows] * ready)
