"""Table `costs`: what the schemes spend on members."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.world.activity import Events
from sojourn.world.clock import DAY, Floats, Ints
from sojourn.world.hazards import in_reward
from sojourn.world.lives import Bools, Lives
from sojourn.world.members import People
from sojourn.world.parameters import EVENTS, Frame, Trial


@dataclass(frozen=True, slots=True)
class Costs:
    """Incentives paid in one block, ordered by member and instant.

    Attributes
    ----------
    member, scheme, at : array of int
        Number of the member within the block, code of the scheme, instant.
    cents : array of int
        Money spent in hundredths, above 0.
    """

    member: Ints
    scheme: Ints
    at: Ints
    cents: Ints


def make_costs(frame: Frame, people: People, lives: Lives, events: Events) -> Costs:
    """Return what was spent: nothing is random here but the purchases that rewards are paid on."""
    trial = frame.parameters.trial
    at_start, per_purchase = cost_table(trial, "at_start"), cost_table(trial, "per_purchase")
    assigned = np.flatnonzero(lives.assigned)
    bought = np.flatnonzero(_rewarded(trial, events))
    buyer = events.member[bought]
    member = np.concatenate([assigned, buyer])
    at = np.concatenate([people.joined[assigned] + trial.day * DAY, events.at[bought]])
    amounts = [at_start[lives.scheme[assigned], people.segment[assigned]],
               per_purchase[lives.scheme[buyer], people.segment[buyer]]]  # fmt: skip
    cents = np.rint(np.concatenate(amounts) * 100).astype(np.int64)
    order = np.lexsort((cents, at, member))
    order = order[(cents[order] > 0) & (at[order] < frame.as_of)]
    return Costs(member[order], lives.scheme[member[order]], at[order], cents[order])


def cost_table(trial: Trial, what: str) -> Floats:
    """Return amounts ``at_start`` or ``per_purchase`` by scheme (rows) and segment."""
    return np.array([s.at_start if what == "at_start" else s.per_purchase for s in trial.schemes])


def _rewarded(trial: Trial, events: Events) -> Bools:
    rewarded = in_reward(trial, int(events.day.max(initial=0)) + 1)[events.day] == 1
    purchase = (events.event == EVENTS.index("purchase")) & (events.cents > 0)
    found: Bools = purchase & rewarded
    return found
