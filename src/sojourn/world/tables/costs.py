"""Table `costs`: what joining members and the schemes cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.world.arrays import Bools, Floats, Ints, join, take
from sojourn.world.clock import DAY
from sojourn.world.members.enrolment import Enrolment, by_segment, in_reward
from sojourn.world.members.population import Population
from sojourn.world.parameters import Frame, Trial
from sojourn.world.tables.assignments import scheme_names
from sojourn.world.tables.events import Events
from sojourn.world.tables.rollout import Chosen

#: What is paid for.
WHAT: tuple[str, ...] = ("acquisition", "incentive")


@dataclass(frozen=True, slots=True)
class Costs:
    """Money spent in one block, ordered by member and instant.

    Attributes
    ----------
    what, member, scheme, channel, at : array of int
        Code of `WHAT`, number of the member within the block, codes in `scheme_names` and of the channel (-1
        for none), instant.
    cents : array of int
        Money spent in hundredths, above 0.
    """

    what: Ints
    member: Ints
    scheme: Ints
    channel: Ints
    at: Ints
    cents: Ints


def make_costs(frame: Frame, block: Population, events: Events, chosen: Chosen) -> Costs:
    """Return what was spent: nothing is random here but the purchases that rewards are paid on."""
    parts = [_acquisition(frame, block), _rollout(frame, chosen)]
    for enrolment in block.enrolments:
        parts += [_at_start(frame, block, enrolment), _per_purchase(frame, block, enrolment, events)]
    costs = join(parts)
    order = np.lexsort((costs.cents, costs.at, costs.member))
    paid = (costs.cents > 0) & (costs.at >= frame.start) & (costs.at < frame.as_of)
    return take(costs, order[paid[order]])


def cost_table(frame: Frame, trial: Trial, what: str) -> Floats:
    """Return amounts ``at_start`` or ``per_purchase`` by scheme (rows) and segment."""
    return np.array([by_segment(getattr(s, what), frame.parameters) for s in trial.schemes])


def _acquisition(frame: Frame, block: Population) -> Costs:
    channels = frame.parameters.channels
    cents = np.array([round(c.cost * 100) for c in channels])[block.people.channel]
    member = np.arange(len(block))
    return _costs("acquisition", member, block.people.joined, cents, channel=block.people.channel)


def _rollout(frame: Frame, chosen: Chosen) -> Costs:
    rollout = frame.parameters.rollout
    if rollout is None:
        return _costs("incentive", chosen.offered, chosen.offered, chosen.offered)
    n = len(chosen.offered)
    scheme = np.full(n, scheme_names(frame).index(rollout.scheme))
    at = np.full(n, frame.as_of - rollout.ago * DAY)
    return _costs("incentive", chosen.offered, at, np.full(n, round(rollout.cost * 100)), scheme=scheme)


def _at_start(frame: Frame, block: Population, enrolment: Enrolment) -> Costs:
    member = np.flatnonzero(block.assigned(enrolment))
    at = block.people.joined[member] + enrolment.day[member] * DAY
    return _incentives(frame, block, enrolment, "at_start", member=member, at=at)


def _per_purchase(frame: Frame, block: Population, enrolment: Enrolment, events: Events) -> Costs:
    bought = events.of("purchase")
    bought = bought[(events.cents[bought] > 0) & ~events.back[bought]]
    bought = bought[_rewarded(enrolment, events.member[bought], events.day[bought])]
    member, at = events.member[bought], events.at[bought]
    return _incentives(frame, block, enrolment, "per_purchase", member=member, at=at)


def _rewarded(enrolment: Enrolment, member: Ints, day: Ints) -> Bools:
    found: Bools = enrolment.entitled[member] & in_reward(enrolment.trial, day - enrolment.day[member])
    return found


def _incentives(
    frame: Frame, block: Population, enrolment: Enrolment, what: str, *, member: Ints, at: Ints
) -> Costs:
    code = enrolment.scheme[member]
    amount = cost_table(frame, enrolment.trial, what)[code, block.people.segment[member]]
    names = scheme_names(frame)
    scheme = np.array([names.index(s.name) for s in enrolment.trial.schemes])[code]
    return _costs("incentive", member, at, np.rint(amount * 100).astype(np.int64), scheme=scheme)


def _costs(
    what: str, member: Ints, at: Ints, cents: Ints, *, scheme: Ints | None = None, channel: Ints | None = None
) -> Costs:
    none = np.full(len(member), -1)
    kind = np.full(len(member), WHAT.index(what))
    return Costs(
        kind, member, none if scheme is None else scheme, none if channel is None else channel, at, cents
    )
