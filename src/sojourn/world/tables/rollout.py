"""An offer to the members who came least: without effect, yet they come more often afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.world.arrays import Ints
from sojourn.world.clock import DAY
from sojourn.world.members.population import Population
from sojourn.world.parameters import Frame
from sojourn.world.tables.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Chosen:
    """Who was there on the day of the roll-out, and to whom of them the offer was made.

    Attributes
    ----------
    offered, others : array of int
        Numbers of members within the block.
    """

    offered: Ints
    others: Ints


def choose(frame: Frame, block: Population, sessions: Sessions) -> Chosen:
    """Return the members with the fewest sessions before the roll-out; of equals, who joined first."""
    rollout = frame.parameters.rollout
    none = np.zeros(0, dtype=np.int64)
    if rollout is None:
        return Chosen(none, none)
    day = frame.as_of - rollout.ago * DAY
    since = day - rollout.window_days * DAY
    there = np.flatnonzero((block.people.joined < since) & (block.lives.left > day) & (since >= frame.start))
    within = (sessions.at >= since) & (sessions.at < day)
    count = np.bincount(sessions.member[within], minlength=len(block))[there]
    order = there[np.lexsort((block.people.joined[there], count))]
    cut = int(rollout.share * len(order))
    return Chosen(np.sort(order[:cut]), np.sort(order[cut:]))
