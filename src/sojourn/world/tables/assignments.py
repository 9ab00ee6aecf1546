"""Table `assignments`: who is given what, with the faults a log of assignments may have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.world.arrays import Bools, Ints, join, take
from sojourn.world.clock import DAY
from sojourn.world.members.enrolment import Enrolment
from sojourn.world.members.population import Population
from sojourn.world.parameters import Frame
from sojourn.world.tables.rollout import Chosen

#: Schemes of the hold-outs of messages.
SERVED, HELD_OUT = "messages", "held_out"
#: Name of the trial of how often members are written to.
CADENCE = "cadence"


@dataclass(frozen=True, slots=True)
class Assignments:
    """Assignments of one block, ordered by member, instant and trial.

    Attributes
    ----------
    trial, member, scheme, at, club : array of int
        Code in `trial_names`, number of the member within the block, code in `scheme_names`, instant, club
        (-1 where each member was assigned).
    """

    trial: Ints
    member: Ints
    scheme: Ints
    at: Ints
    club: Ints


def holdout_name(medium: str) -> str:
    """Return the name of the trial that holds members out of a channel of messages."""
    return f"holdout {medium}"


def trial_names(frame: Frame) -> list[str]:
    """Return the names of all that `assignments` may list under `trial`."""
    parameters = frame.parameters
    names = [t.name for t in parameters.trials] + [holdout_name(m.name) for m in parameters.contact.media]
    return [*names, CADENCE, *([parameters.rollout.name] if parameters.rollout else [])]


def scheme_names(frame: Frame) -> list[str]:
    """Return the names of all that `assignments` may list under `scheme`, each once."""
    parameters = frame.parameters
    names = [s.name for t in parameters.trials for s in t.schemes]
    names += [SERVED, HELD_OUT, *(name for name, _, _ in parameters.contact.cadence), "none"]
    names += [parameters.rollout.scheme] if parameters.rollout else []
    return list(dict.fromkeys(names))


def draw_assignments(
    frame: Frame, block: Population, chosen: Chosen, rng: np.random.Generator
) -> Assignments:
    """Return the assignments of a block; only their faults are drawn here."""
    parts = [_trial(frame, block, enrolment, rng) for enrolment in block.enrolments]
    parts += [_holdout(frame, block, code) for code in range(len(frame.parameters.contact.media))]
    parts += [_cadence(frame, block), *_rollout(frame, chosen)]
    together = join(parts)
    order = np.lexsort((together.scheme, together.trial, together.at, together.member))
    return take(together, order[together.at[order] < frame.as_of])


def withdrawn(block: Population, rng: np.random.Generator) -> Bools:
    """Draw who withdraws consent in a trial, by scheme and by whether the member is kept to its horizon."""
    gone = np.zeros(len(block), dtype=bool)
    for enrolment in block.enrolments:
        trial = enrolment.trial
        horizon = block.people.joined + (enrolment.day + trial.horizon_days) * DAY
        leaves = (block.lives.left <= horizon).astype(np.int64)
        share = np.array([s.withdraws for s in trial.schemes])[enrolment.scheme, leaves]
        gone |= block.assigned(enrolment) & (rng.random(len(block)) < share)
    return gone


def _trial(frame: Frame, block: Population, enrolment: Enrolment, rng: np.random.Generator) -> Assignments:
    trial, names = enrolment.trial, scheme_names(frame)
    codes = np.array([names.index(s.name) for s in trial.schemes])
    lost = np.array([s.lost for s in trial.schemes])[enrolment.scheme]
    listed = block.assigned(enrolment) & (rng.random(len(block)) >= lost)
    again = listed & (rng.random(len(block)) < trial.twice)
    other = (enrolment.scheme + rng.integers(1, len(codes), size=len(block))) % len(codes)
    member = np.concatenate([np.flatnonzero(listed), np.flatnonzero(again)])
    scheme = np.concatenate([enrolment.scheme[listed], other[again]])
    late = np.repeat([0, 1], [listed.sum(), again.sum()])
    at = block.people.joined[member] + (enrolment.day[member] + late) * DAY
    club = block.people.club[member] if trial.by_club else np.full(len(member), -1)
    return Assignments(np.full(len(member), _code(frame, trial.name)), member, codes[scheme], at, club)


def _holdout(frame: Frame, block: Population, medium: int) -> Assignments:
    name = holdout_name(frame.parameters.contact.media[medium].name)
    names = scheme_names(frame)
    scheme = np.where(block.programme.held_out[:, medium], names.index(HELD_OUT), names.index(SERVED))
    return _at_begin(frame, block, name, scheme)


def _cadence(frame: Frame, block: Population) -> Assignments:
    names = scheme_names(frame)
    codes = np.array([names.index(name) for name, _, _ in frame.parameters.contact.cadence])
    return _at_begin(frame, block, CADENCE, codes[block.programme.cadence])


def _at_begin(frame: Frame, block: Population, name: str, scheme: Ints) -> Assignments:
    at = block.people.joined + block.programme.begins * DAY
    member = np.flatnonzero(block.lives.left > at)
    none = np.full(len(member), -1)
    return Assignments(np.full(len(member), _code(frame, name)), member, scheme[member], at[member], none)


def _rollout(frame: Frame, chosen: Chosen) -> list[Assignments]:
    rollout, names = frame.parameters.rollout, scheme_names(frame)
    if rollout is None:
        return []
    at = frame.as_of - rollout.ago * DAY
    return [
        Assignments(
            np.full(len(member), _code(frame, rollout.name)),
            member,
            np.full(len(member), names.index(scheme)),
            np.full(len(member), at),
            np.full(len(member), -1),
        )
        for member, scheme in ((chosen.offered, rollout.scheme), (chosen.others, "none"))
    ]


def _code(frame: Frame, trial: str) -> int:
    return trial_names(frame).index(trial)
