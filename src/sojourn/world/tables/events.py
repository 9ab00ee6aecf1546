"""Table `events`: what members do in their sessions."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sojourn.world.arrays import Bools, Floats, Ints, join, take
from sojourn.world.clock import DAY
from sojourn.world.members.enrolment import by_segment, in_reward
from sojourn.world.members.people import OWN, of_segment
from sojourn.world.members.population import Population
from sojourn.world.parameters import EVENTS, FEATURES, Frame
from sojourn.world.tables.items import draw_items
from sojourn.world.tables.money import draw_amounts
from sojourn.world.tables.sessions import Sessions, is_there

#: Longest time from the start of a session to anything done in it, in seconds.
SESSION = 1_500
#: What is done in which part of the product, where it is always the same.
PLACES: dict[str, str] = {
    "login": "home", "search": "search", "like": "community", "comment": "community", "share": "community",
    "check-in": "home", "task": "tasks", "purchase": "checkout", "support": "help", "settings": "settings",
    "error": "home", "join": "home", "activate": "home", "redeem": "checkout",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Events:
    """Events of one block, ordered by member, instant and kind.

    Attributes
    ----------
    member, at, event, feature : array of int
        Number of the member within the block, instant, codes of `EVENTS` and `FEATURES`.
    cents : array of int
        Money paid in hundredths, negative when refunded; 0 for events without money.
    item : array of int
        Number of the item, -1 for none.
    load : array of int
        Time the page took to load in milliseconds, -1 where it is not measured.
    day : array of int
        Days since joining on which the session began.
    back : array of bool
        Whether it happened after the member's return.
    """

    member: Ints
    at: Ints
    event: Ints
    feature: Ints
    cents: Ints
    item: Ints
    load: Ints
    day: Ints
    back: Bools

    def of(self, kind: str) -> Ints:
        """Return the rows of one kind of event."""
        return np.flatnonzero(self.event == EVENTS.index(kind))


def draw_events(frame: Frame, block: Population, sessions: Sessions, rng: np.random.Generator) -> Events:
    """Draw all events of a block that are seen: while members are there, and before `as_of`."""
    parts = [_firsts(block, "join"), _firsts(block, "activate"), _logins(frame, block, sessions, rng)]
    parts.append(_views(frame, block, sessions, rng))
    parts += [
        _chances(kind, chance, sessions, rng) for kind, chance in _probabilities(frame, block, sessions)
    ]
    parts += [_social(frame, block, kind, sessions, rng) for kind in _SOCIAL]
    purchases = _purchases(frame, block, sessions, rng)
    made = is_there(frame, block, purchases.member, purchases.at, purchases.back)
    purchases = take(purchases, made)
    parts += [purchases, _refunds(frame, purchases, rng)]
    together = join(parts)
    return ordered(take(together, is_there(frame, block, together.member, together.at, together.back)))


def ordered(events: Events) -> Events:
    """Return events by member, instant, kind and part of the product; equal ones as they were drawn."""
    place = (events.member << 32 | events.at) << 8 | events.event << 4 | events.feature
    return take(events, np.argsort(place, kind="stable"))


#: How likes, comments and shares divide what a segment does in company.
_SOCIAL: dict[str, float] = {"like": 0.65, "comment": 0.25, "share": 0.10}


def _firsts(block: Population, kind: str) -> Events:
    """Return the events of joining, and of the first value moment."""
    people = block.people
    rows = np.arange(len(people)) if kind == "join" else np.flatnonzero(people.takes_off)
    days = np.zeros(len(rows)) if kind == "join" else people.value_day[rows]
    at = people.joined[rows] + np.floor(days * DAY).astype(np.int64)
    none = np.zeros(len(rows), dtype=np.int64)
    return Events(
        rows, at, none + EVENTS.index(kind), none + FEATURES.index(PLACES[kind]), none, none - 1, none - 1,
        np.floor(days).astype(np.int64), none == 1,
    )  # fmt: skip


def _logins(frame: Frame, block: Population, sessions: Sessions, rng: np.random.Generator) -> Events:
    service = frame.parameters.service
    noise = service.load_noise * rng.standard_normal(len(sessions.at))
    seconds = load_seconds(frame, block.people.slow)[sessions.member] * np.exp(noise)
    logins = _done(sessions, np.arange(len(sessions.at)), "login", sessions.at)
    return replace(logins, load=np.rint(seconds * 1000).astype(np.int64))


def load_seconds(frame: Frame, slow: Floats) -> Floats:
    """Return members' own median load time."""
    service = frame.parameters.service
    return np.asarray(service.load_seconds * np.exp(service.load_spread * slow))


def _views(frame: Frame, block: Population, sessions: Sessions, rng: np.random.Generator) -> Events:
    parameters = frame.parameters
    segment = block.people.segment[sessions.member]
    own = block.people.own[sessions.member, OWN.index("views")]
    rows = np.repeat(np.arange(len(segment)), rng.poisson(of_segment(parameters, "views")[segment] * own))
    edges = np.cumsum([s.taste for s in parameters.segments], axis=1)[segment[rows]]
    feature = (rng.random(len(rows))[:, None] * edges[:, -1:] >= edges[:, :-1]).sum(axis=1)
    views = _done(sessions, rows, "view", _later(sessions.at[rows], rng))
    return replace(views, feature=feature, item=draw_items(frame, segment[rows], views.at, rng))


def _probabilities(frame: Frame, block: Population, sessions: Sessions) -> list[tuple[str, Floats]]:
    """Return what may happen once in a session, and how likely it is."""
    parameters, people = frame.parameters, block.people
    activity, service = parameters.activity, parameters.service
    member = sessions.member
    tasks = of_segment(parameters, "tasks")[people.segment] * people.own[:, OWN.index("tasks")]
    tasks = tasks[member] * _factor(frame, block, sessions, "tasks")
    slowness = np.exp(service.load_spread * people.slow[member])
    everyone = np.ones(len(member))
    return [
        ("search", activity.searches * everyone),
        ("check-in", activity.check_ins * everyone),
        ("settings", activity.settings * everyone),
        ("task", np.minimum(tasks, activity.dearest_session)),
        ("error", np.minimum(service.errors * slowness, 1.0)),
        ("support", support_chance(frame, people.satisfaction)[member]),
    ]


def support_chance(frame: Frame, satisfaction: Floats) -> Floats:
    """Return the probability that a session ends with a request for help: higher for the dissatisfied."""
    service = frame.parameters.service
    return np.asarray(np.minimum(service.requests * np.exp(service.requests_slope * satisfaction), 1.0))


def _chances(kind: str, chance: Floats, sessions: Sessions, rng: np.random.Generator) -> Events:
    rows = np.flatnonzero(rng.random(len(chance)) < chance)
    return _done(sessions, rows, kind, _later(sessions.at[rows], rng))


def _social(
    frame: Frame, block: Population, kind: str, sessions: Sessions, rng: np.random.Generator
) -> Events:
    segment = block.people.segment[sessions.member]
    number = rng.poisson(_SOCIAL[kind] * of_segment(frame.parameters, "social")[segment])
    rows = np.repeat(np.arange(len(segment)), number)
    done = _done(sessions, rows, kind, _later(sessions.at[rows], rng))
    return replace(done, item=draw_items(frame, segment[rows], done.at, rng))


def buying_chance(frame: Frame, block: Population) -> Floats:
    """Return each member's probability of a purchase in a session, once there was a value moment."""
    people = block.people
    own = people.own[:, OWN.index("buys")]
    return np.asarray(of_segment(frame.parameters, "buys")[people.segment] * own)


def _purchases(frame: Frame, block: Population, sessions: Sessions, rng: np.random.Generator) -> Events:
    parameters, people = frame.parameters, block.people
    member = sessions.member
    chance = buying_chance(frame, block)[member] * _factor(frame, block, sessions, "buys")
    chance = np.minimum(chance, parameters.activity.dearest_session)
    ready = sessions.at >= people.joined[member] + people.value_day[member] * DAY
    rows = np.flatnonzero((rng.random(len(chance)) < chance) & ready)
    who = member[rows]
    prices = of_segment(parameters, "price")[people.segment[who]] * people.own[who, OWN.index("price")]
    done = _done(sessions, rows, "purchase", _later(sessions.at[rows], rng))
    items = draw_items(frame, people.segment[who], done.at, rng)
    return replace(done, cents=draw_amounts(parameters.activity, prices, rng), item=items)


def _refunds(frame: Frame, purchases: Events, rng: np.random.Generator) -> Events:
    activity = frame.parameters.activity
    rows = np.flatnonzero(rng.random(len(purchases.at)) < activity.refunds)
    delay = np.array(activity.refund_days)[rng.integers(len(activity.refund_days), size=len(rows))]
    back = take(purchases, rows)
    return replace(back, at=back.at + delay * DAY, cents=-back.cents, day=back.day + delay)


def _factor(frame: Frame, block: Population, sessions: Sessions, what: str) -> Floats:
    """Return each session's factor by the schemes of all trials, which is 1 outside rewards."""
    factor, member = np.ones(len(sessions.at)), sessions.member
    segment = block.people.segment[member]
    for enrolment in block.enrolments:
        trial = enrolment.trial
        table = np.array([by_segment(getattr(scheme, what), frame.parameters) for scheme in trial.schemes])
        rewarded = enrolment.entitled[member] & in_reward(trial, sessions.day - enrolment.day[member])
        acts = rewarded & ~sessions.back
        factor *= np.where(acts, table[enrolment.scheme[member], segment], 1.0)
    return factor


def _done(sessions: Sessions, rows: Ints, kind: str, at: Ints) -> Events:
    """Return events done in some sessions, which may repeat."""
    none = np.zeros(len(rows), dtype=np.int64)
    place = FEATURES.index(PLACES.get(kind, "home"))
    return Events(
        sessions.member[rows], at, none + EVENTS.index(kind), none + place, none, none - 1, none - 1,
        sessions.day[rows], sessions.back[rows],
    )  # fmt: skip


def _later(at: Ints, rng: np.random.Generator) -> Ints:
    return at + rng.integers(10, SESSION, size=len(at))
