"""Table `tickets`: requests for help, how long they wait and how they end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sojourn.world.arrays import Bools, Floats, Ints
from sojourn.world.clock import HOUR
from sojourn.world.members.people import by_region, draw_codes
from sojourn.world.members.population import Population
from sojourn.world.parameters import Desk, Frame
from sojourn.world.tables.arrow import instants, table, words
from sojourn.world.tables.events import Events
from sojourn.world.tables.sessions import is_there

#: Seconds from the event to the ticket.
AFTER = 60


@dataclass(frozen=True, slots=True)
class Tickets:
    """Requests of one block, in the order of the events they come from: by member and instant.

    Attributes
    ----------
    member, opened, topic : array of int
        Number of the member within the block, instant, code of the topic.
    waited : array of float
        Hours to the first reply, known to the platform or not.
    replied, closed : array of int
        Instants, perhaps after `as_of`.
    resolved : array of bool
        Whether the request ends well.
    """

    member: Ints
    opened: Ints
    topic: Ints
    waited: Floats
    replied: Ints
    closed: Ints
    resolved: Bools


def draw_tickets(frame: Frame, block: Population, events: Events, rng: np.random.Generator) -> Tickets:
    """Draw what becomes of each request for help; one that a member leaves within a minute is not opened."""
    desk = frame.parameters.desk
    asks = events.of("support")
    opened = events.at[asks] + AFTER
    here = is_there(frame, block, events.member[asks], opened, events.back[asks])
    member, opened = events.member[asks][here], opened[here]
    topic = draw_codes([t.share for t in desk.topics], len(member), rng)
    closed = desk_is_closed(frame, block.people.region[member], opened)
    hours = usual_waiting(desk, topic, closed) * np.exp(desk.spread * rng.standard_normal(len(member)))
    replied = opened + _seconds(hours)
    waited = (replied - opened) / HOUR
    work = desk.work_hours * rng.standard_exponential(len(member))
    resolved = rng.random(len(member)) < helped_chance(desk, waited)
    return Tickets(member, opened, topic, waited, replied, replied + _seconds(work), resolved)


def desk_is_closed(frame: Frame, region: Ints, at: Ints) -> Bools:
    """Return whether instants lie outside the desk's hours where the member lives."""
    desk = frame.parameters.desk
    hour = np.empty_like(at)
    for clock, rows in by_region(frame, region):
        hour[rows] = clock.time_of_day(at[rows]) // HOUR
    found: Bools = (hour < desk.opens) | (hour >= desk.closes)
    return found


def usual_waiting(desk: Desk, topic: Ints, closed: Bools) -> Floats:
    """Return the median waiting time in hours by topic and by whether the desk is closed."""
    hours = np.array([t.hours for t in desk.topics])[topic]
    return np.asarray(hours * np.where(closed, desk.closed, 1.0))


def doublings(desk: Desk, waited: Floats) -> Floats:
    """Return how often the usual waiting time was doubled; negative for shorter ones."""
    return np.asarray(np.log2(waited / desk.usual_hours))


def helped_chance(desk: Desk, waited: Floats) -> Floats:
    """Return the probability that a request ends well after so many hours of waiting."""
    logit = desk.helped + desk.helped_slope * doublings(desk, waited)
    return np.asarray(1 / (1 + np.exp(-logit)))


def tickets_table(frame: Frame, tickets: Tickets, ids: Any) -> Any:
    """Return table `tickets` of a block; what comes at `as_of` or later is empty."""
    unanswered, open_still = tickets.replied >= frame.as_of, tickets.closed >= frame.as_of
    return table("tickets", [
        ids.take(pa.array(tickets.member)),
        instants(tickets.opened),
        words([t.name for t in frame.parameters.desk.topics], tickets.topic),
        instants(tickets.replied, missing=unanswered),
        instants(tickets.closed, missing=open_still),
        pa.array(tickets.resolved, mask=open_still),
    ])  # fmt: skip


def _seconds(hours: Floats) -> Ints:
    return np.maximum(np.ceil(hours * HOUR), 1).astype(np.int64)
