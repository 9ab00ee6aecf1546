"""Table `events`: sessions and what members do in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sojourn.world.clock import DAY, Floats, Ints, draw_time_of_day, local_clock
from sojourn.world.hazards import in_reward
from sojourn.world.lives import Lives
from sojourn.world.members import People
from sojourn.world.money import draw_amounts
from sojourn.world.parameters import EVENTS, FEATURES, Activity, Frame

#: Longest time from the start of a session to anything done in it, in seconds.
SESSION = 1_500
_HOME, _TASKS, _CHECKOUT = (FEATURES.index(name) for name in ("home", "tasks", "checkout"))


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
    """

    member: Ints
    day: Ints
    at: Ints


@dataclass(frozen=True, slots=True)
class Events:
    """Events of one block, ordered by member, instant and kind.

    Attributes
    ----------
    member, at, event, feature : array of int
        Number of the member within the block, instant, codes of `EVENTS` and `FEATURES`.
    cents : array of int
        Money paid in hundredths, negative when refunded; 0 for events without money.
    day : array of int
        Days since joining on which the session began.
    """

    member: Ints
    at: Ints
    event: Ints
    feature: Ints
    cents: Ints
    day: Ints

    def take(self, rows: Ints) -> Events:
        """Return some rows, in the order given."""
        return Events(*(getattr(self, name)[rows] for name in _COLUMNS))


_COLUMNS = ("member", "at", "event", "feature", "cents", "day")


def novelty(activity: Activity, days: int) -> Floats:
    """Return the factor on sessions by day since joining: new members come more often."""
    return 1 + activity.novelty * np.exp(-np.arange(days) / activity.novelty_days)


def draw_events(frame: Frame, people: People, lives: Lives, rng: np.random.Generator) -> Events:
    """Draw all events of a block that happen before members leave and before `as_of`."""
    sessions = draw_sessions(frame, people, lives, rng)
    parts = [_joins(people), _logins(sessions)]
    parts += [_views(frame, people, sessions, rng), _tasks(frame, people, lives, sessions, rng)]
    purchases = _purchases(frame, people, lives, sessions, rng)
    parts += [purchases, _refunds(frame, purchases, rng)]
    together = Events(*(np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS))
    seen = together.take(np.flatnonzero(together.at < _end(frame, lives)[together.member]))
    return seen.take(np.lexsort((seen.cents, seen.feature, seen.event, seen.at, seen.member)))


def draw_sessions(frame: Frame, people: People, lives: Lives, rng: np.random.Generator) -> Sessions:
    """Draw sessions: a Poisson number per day since joining, thinned by weekday and before leaving.

    Those of the last day may come after its end; `draw_events` leaves out all that is done then.
    """
    activity = frame.parameters.activity
    days = np.ceil((_end(frame, lives) - people.joined) / DAY).astype(np.int64)
    member = np.repeat(np.arange(len(people)), days)
    day = np.arange(len(member)) - np.repeat(np.cumsum(days) - days, days)
    usual = np.array([s.sessions for s in frame.parameters.segments])[people.segment] * people.activity
    mean = usual[member] * novelty(activity, int(days.max()))[day] * max(activity.weekdays)
    cells = np.repeat(np.arange(len(member)), rng.poisson(mean))
    clock = local_clock(frame.time_zone, frame.start, frame.as_of)
    starts = people.joined[member[cells]] + day[cells] * DAY
    at = clock.next_at(starts, draw_time_of_day(activity.hours, len(cells), rng))
    kept = _share_kept(frame, lives, member[cells], at, clock.weekday(at))
    rows = np.flatnonzero(rng.random(len(cells)) < kept)
    return Sessions(member[cells][rows], day[cells][rows], at[rows])


def _share_kept(frame: Frame, lives: Lives, member: Ints, at: Ints, weekday: Ints) -> Floats:
    """Return the share of drawn sessions that happen: fewer on weekdays, and in the days before leaving."""
    activity, churn = frame.parameters.activity, frame.parameters.churn
    factors = np.array(activity.weekdays) / max(activity.weekdays)
    quiet = lives.left[member] - at <= churn.quiet_days * DAY
    return factors[weekday] * np.where(quiet, churn.quiet, 1.0)


def _end(frame: Frame, lives: Lives) -> Ints:
    return np.minimum(lives.left, frame.as_of).astype(np.int64)


def _joins(people: People) -> Events:
    n = len(people)
    zeros = np.zeros(n, dtype=np.int64)
    return Events(np.arange(n), people.joined, zeros + EVENTS.index("join"), zeros + _HOME, zeros, zeros)


def _logins(sessions: Sessions) -> Events:
    return _done(sessions, np.arange(len(sessions.at)), "login", sessions.at, feature=_HOME)


def _views(frame: Frame, people: People, sessions: Sessions, rng: np.random.Generator) -> Events:
    segments = frame.parameters.segments
    segment = people.segment[sessions.member]
    number = rng.poisson(np.array([s.views for s in segments])[segment])
    rows = np.repeat(np.arange(len(segment)), number)
    edges = np.cumsum([s.taste for s in segments], axis=1)[segment[rows]]
    feature = (rng.random(len(rows))[:, None] * edges[:, -1:] >= edges[:, :-1]).sum(axis=1)
    return _done(sessions, rows, "view", _later(sessions.at[rows], rng), feature=feature)


def _tasks(
    frame: Frame, people: People, lives: Lives, sessions: Sessions, rng: np.random.Generator
) -> Events:
    share = np.array([s.tasks for s in frame.parameters.segments])[people.segment[sessions.member]]
    share = share * _factor(frame, people, lives, sessions, [s.tasks for s in frame.parameters.trial.schemes])
    rows = np.flatnonzero(rng.random(len(share)) < share)
    return _done(sessions, rows, "task", _later(sessions.at[rows], rng), feature=_TASKS)


def _purchases(
    frame: Frame, people: People, lives: Lives, sessions: Sessions, rng: np.random.Generator
) -> Events:
    share = np.array([s.buys for s in frame.parameters.segments])[people.segment[sessions.member]]
    share = share * _factor(frame, people, lives, sessions, [s.buys for s in frame.parameters.trial.schemes])
    rows = np.flatnonzero(rng.random(len(share)) < share)
    cents = draw_amounts(frame.parameters, people.segment[sessions.member[rows]], rng)
    return _done(sessions, rows, "purchase", _later(sessions.at[rows], rng), feature=_CHECKOUT, cents=cents)


def _refunds(frame: Frame, purchases: Events, rng: np.random.Generator) -> Events:
    activity = frame.parameters.activity
    rows = np.flatnonzero(rng.random(len(purchases.at)) < activity.refunds)
    delay = np.array(activity.refund_days)[rng.integers(len(activity.refund_days), size=len(rows))]
    back = purchases.take(rows)
    return replace(back, at=back.at + delay * DAY, cents=-back.cents, day=back.day + delay)


def _factor(
    frame: Frame, people: People, lives: Lives, sessions: Sessions, factors: Sequence[Sequence[float]]
) -> Floats:
    """Return each session's scheme factor (given by scheme and segment), which is 1 outside the reward."""
    factor = np.asarray(factors)[lives.scheme[sessions.member], people.segment[sessions.member]]
    rewarded = in_reward(frame.parameters.trial, int(sessions.day.max(initial=0)) + 1)[sessions.day]
    return np.where(rewarded == 1, factor, 1.0)


def _done(
    sessions: Sessions, rows: Ints, event: str, at: Ints, *, feature: int | Ints, cents: int | Ints = 0
) -> Events:
    """Return events done in some sessions, which may repeat."""
    same = np.zeros(len(rows), dtype=np.int64)
    kind = same + EVENTS.index(event)
    return Events(sessions.member[rows], at, kind, same + feature, same + cents, sessions.day[rows])


def _later(at: Ints, rng: np.random.Generator) -> Ints:
    return at + rng.integers(10, SESSION, size=len(at))
