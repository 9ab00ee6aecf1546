"""Who takes part in which trial, from which day on, and what the schemes then change."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sojourn.world.arrays import Bools, Floats, Ints
from sojourn.world.clock import DAY
from sojourn.world.members.course import SILENT, Course
from sojourn.world.members.people import People
from sojourn.world.parameters import Frame, Scheme, Trial, WorldParameters


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One trial in one block; arrays of one entry per member.

    Attributes
    ----------
    trial : Trial
        Its parameters.
    entitled : array of bool
        Whether the member would be assigned if still there on the day.
    scheme : array of int
        Code of the scheme; 0 where not entitled.
    day : array of int
        Day since joining of the assignment; 0 where not entitled.
    """

    trial: Trial
    entitled: Bools
    scheme: Ints
    day: Ints

    def under(self, code: int) -> Enrolment:
        """Return the trial as if all who are entitled had been given one scheme."""
        return replace(self, scheme=np.where(self.entitled, code, 0))


def draw_enrolment(
    frame: Frame, trial: Trial, people: People, course: Course, *, lots: Floats, rng: np.random.Generator
) -> Enrolment:
    """Draw who takes part in a trial and the schemes by lot.

    Parameters
    ----------
    frame, trial, people, course
        The world, the trial, and the members of the block.
    lots : array (members,)
        Uniform numbers that decide on lanes: the same ones for all trials of a layer, whose members are
        therefore different ones.
    rng : Generator
        Source of the lots of the schemes.
    """
    day, comes = _day(trial, course)
    at = people.joined + day * DAY
    opens, closes = frame.as_of - trial.opens * DAY, frame.as_of - trial.closes * DAY
    entitled = comes & (at >= np.maximum(opens, frame.start)) & (at < closes)
    entitled &= (lots >= trial.lane[0]) & (lots < trial.lane[1])
    phase = (at - opens) / (closes - opens)
    scheme = draw_schemes(trial, phase, people.club, rng)
    return Enrolment(trial, entitled, np.where(entitled, scheme, 0), np.where(entitled, day, 0))


def draw_schemes(trial: Trial, phase: Floats, club: Ints, rng: np.random.Generator) -> Ints:
    """Draw schemes by the shares of the phase of the window (0-1) in which a member is assigned."""
    k = len(trial.schemes)
    allocation = np.array(trial.allocation or ((1 / k,) * k,))
    part = np.clip((phase * len(allocation)).astype(np.int64), 0, len(allocation) - 1)
    lots = rng.random(len(phase))
    if trial.by_club:
        lots = rng.random(int(club.max(initial=0)) + 1)[club]
    edges = np.cumsum(allocation, axis=1)[part]
    found: Ints = (lots[:, None] * edges[:, -1:] >= edges[:, :-1]).sum(axis=1)
    return found


def _day(trial: Trial, course: Course) -> tuple[Ints, Bools]:
    """Return the day of assignment of each member, and whether it comes at all."""
    n, days = course.stage.shape
    if trial.trigger == "joining":
        return np.full(n, trial.day), np.full(n, days > trial.day)
    silent = course.stage == SILENT
    lasting = np.cumsum(silent, axis=1) == trial.day
    reached = lasting & silent
    return reached.argmax(axis=1), reached.any(axis=1)


def in_reward(trial: Trial, since: Ints) -> Bools:
    """Return whether a reward runs so many days after assignment."""
    found: Bools = (since >= 0) & (since < trial.reward_days)
    return found


def by_segment(values: tuple[float, ...], parameters: WorldParameters) -> Floats:
    """Return one number per segment from a scheme's tuple, which may hold one for all."""
    count = len(parameters.segments)
    return np.array(values * count if len(values) == 1 else values, dtype=np.float64)


def scheme_hazard(scheme: Scheme, trial: Trial, parameters: WorldParameters) -> Floats:
    """Return a scheme's factor on the hazard, by segment and day since assignment."""
    day = np.arange(trial.reward_days + trial.rebound_days)
    during = day < trial.reward_days
    hazard, rebound = (by_segment(v, parameters)[:, None] for v in (scheme.hazard, scheme.rebound))
    return np.exp(_ramp(trial, day) * np.where(during, np.log(hazard), np.log(rebound)))


def scheme_sessions(scheme: Scheme, trial: Trial, parameters: WorldParameters) -> Floats:
    """Return a scheme's factor on sessions, by segment and day since assignment."""
    day = np.arange(trial.reward_days)
    return np.exp(_ramp(trial, day) * np.log(by_segment(scheme.sessions, parameters))[:, None])


def _ramp(trial: Trial, day: Ints) -> Floats:
    return np.minimum((day + 1) / max(trial.ramp_days, 1), 1.0)


def apply(matrix: Floats, factors: Floats, segment: Ints, rows: Ints, day: Ints) -> None:
    """Multiply rows of a matrix (members, days), from a day on, by their segment's factors; in place."""
    if not rows.size or np.all(factors == 1.0):
        return
    length = factors.shape[1]
    columns = day[:, None] + np.arange(length)
    inside = columns < matrix.shape[1]
    where = np.broadcast_to(rows[:, None], columns.shape)[inside], columns[inside]
    matrix[where] *= factors[segment[rows]][inside]


def apply_scheme(
    enrolment: Enrolment, people: People, parameters: WorldParameters, *, hazard: Floats, sessions: Floats
) -> None:
    """Let the schemes of a trial act on hazards and sessions (members, days), in place."""
    trial = enrolment.trial
    for code, scheme in enumerate(trial.schemes):
        rows = np.flatnonzero(enrolment.entitled & (enrolment.scheme == code))
        day = enrolment.day[rows]
        apply(hazard, scheme_hazard(scheme, trial, parameters), people.segment, rows, day)
        apply(sessions, scheme_sessions(scheme, trial, parameters), people.segment, rows, day)


def apply_spill(
    enrolment: Enrolment, people: People, referrer: Ints, parameters: WorldParameters, hazard: Floats
) -> None:
    """Let the schemes of referrers act on those they brought, from joining on, in place."""
    trial = enrolment.trial
    if not trial.spill:
        return
    brought = np.flatnonzero(referrer >= 0)
    for code, scheme in enumerate(trial.schemes):
        theirs = referrer[brought]
        rows = brought[enrolment.entitled[theirs] & (enrolment.scheme[theirs] == code)]
        factors = scheme_hazard(scheme, trial, parameters) ** trial.spill
        apply(hazard, factors, people.segment, rows, np.zeros(rows.size, dtype=np.int64))
