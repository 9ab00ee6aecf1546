"""Sessions: when members come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.world.arrays import Bools, Floats, Ints
from sojourn.world.clock import DAY, draw_time_of_day
from sojourn.world.members.course import RETURNED
from sojourn.world.members.people import by_region, next_local, of_segment
from sojourn.world.members.population import Population
from sojourn.world.parameters import Frame


@dataclass(frozen=True, slots=True)
class Sessions:
    """Sessions of one block.

    Attributes
    ----------
    member : array of int
        Number of the member within the block.
    day : array of int
        Days since joining, rounded down.
    at : array of int
        Start, in seconds since 1970.
    back : array of bool
        Whether it belongs to the time after the member's return.
    """

    member: Ints
    day: Ints
    at: Ints
    back: Bools


def draw_sessions(frame: Frame, block: Population, rng: np.random.Generator) -> Sessions:
    """Draw sessions: a Poisson number per day since joining, thinned by weekday and before leaving.

    Those of the last day of a stay may come after its end; `events` leaves out all that is done then.
    """
    activity = frame.parameters.activity
    mean, back = _mean(frame, block)
    cell = np.flatnonzero(mean)
    number = rng.poisson(mean.ravel()[cell] * max(activity.weekdays))
    drawn = np.repeat(cell, number)
    member, day = np.divmod(drawn, mean.shape[1])
    starts = block.people.joined[member] + day * DAY
    region = block.people.region[member]
    at = next_local(frame, region, starts, draw_time_of_day(activity.hours, len(drawn), rng))
    again = back.ravel()[drawn]
    kept = _share_kept(frame, block, member, at, again)
    rows = np.flatnonzero(rng.random(len(drawn)) < kept)
    return Sessions(member[rows], day[rows], at[rows], again[rows])


def _mean(frame: Frame, block: Population) -> tuple[Floats, Bools]:
    """Return mean sessions (members, days) where a member is there, and which days are after a return."""
    joined, lives = block.people.joined[:, None], block.lives
    day = np.arange(block.sessions.shape[1])
    first, second = (end[:, None] for end in lives.ends(frame))
    begins = joined + day * DAY
    here = (begins < first) & (begins + DAY > frame.start)
    back = (begins + DAY > lives.returned[:, None]) & (begins < second)
    pace = second_pace(frame, block)[:, None]
    return np.where(back, pace, np.where(here, block.sessions, 0.0)), back


def second_pace(frame: Frame, block: Population) -> Floats:
    """Return mean sessions per day of members who have left and come back."""
    parameters = frame.parameters
    usual = of_segment(parameters, "sessions")[block.people.segment] * block.people.own[:, 0]
    return np.asarray(usual * parameters.stages.sessions[RETURNED])


def _share_kept(frame: Frame, block: Population, member: Ints, at: Ints, back: Bools) -> Floats:
    """Return the share of drawn sessions that happen: fewer on weekdays, and in the days before leaving."""
    activity, churn = frame.parameters.activity, frame.parameters.churn
    weekday = np.empty_like(at)
    for clock, rows in by_region(frame, block.people.region[member]):
        weekday[rows] = clock.weekday(at[rows])
    factors = np.array(activity.weekdays) / max(activity.weekdays)
    quiet = ~back & (block.lives.left[member] - at <= churn.quiet_days * DAY)
    return np.asarray(factors[weekday] * np.where(quiet, churn.quiet, 1.0))


def is_there(frame: Frame, block: Population, member: Ints, at: Ints, back: Bools) -> Bools:
    """Return whether something happens while its member is there, and is seen."""
    lives = block.lives
    first, second = lives.ends(frame)
    begins = np.where(back, lives.returned[member], frame.start)
    found: Bools = (at >= begins) & (at < np.where(back, second[member], first[member]))
    return found
