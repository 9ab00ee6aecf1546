"""The programme of messages: how many go to whom by which channel, and what that does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.world.arrays import Bools, Floats, Ints
from sojourn.world.clock import DAY
from sojourn.world.members.course import SILENT, Course
from sojourn.world.members.enrolment import Enrolment, in_reward
from sojourn.world.members.people import People, draw_codes
from sojourn.world.parameters import Contact, Frame

WEEK = 7


@dataclass(frozen=True, slots=True)
class Programme:
    """The programme in one block as it would run if nobody ever left.

    Attributes
    ----------
    begins : array of int
        Day since joining from which each member is in it.
    cadence : array of int
        Code of the cadence drawn for each member.
    held_out : array (members, media) of bool
        Who is held out of which channel.
    until : array (members, media) of int
        Day since joining of opting out of a channel, which ends its programme; very large without.
    member, day, medium : array of int
        One entry per message that would be sent, by member and day.
    opts_out : array of bool
        Whether the member opts out by it.
    care_member, care_day : array of int
        The same for messages of the targeted campaign.
    """

    begins: Ints
    cadence: Ints
    held_out: Bools
    until: Ints
    member: Ints
    day: Ints
    medium: Ints
    opts_out: Bools
    care_member: Ints
    care_day: Ints


NEVER = np.iinfo(np.int64).max


def draw_programme(
    frame: Frame,
    people: People,
    course: Course,
    enrolments: list[Enrolment],
    rng: np.random.Generator,
) -> Programme:
    """Draw who is held out, how often members are written to, and who opts out."""
    contact = frame.parameters.contact
    n, days = course.stage.shape
    begins = first_day(frame, people.joined)
    cadence = draw_codes([share for _, share, _ in contact.cadence], n, rng)
    held_out = rng.random((n, len(contact.media))) < contact.held_out
    member, day = _slots(contact, begins, cadence, days, rng)
    medium, goes = _media(contact, held_out[member], rng)
    goes &= ~course.paused[member, day]
    member, day, medium = member[goes], day[goes], medium[goes]
    weeks = excess(contact, n, days, member, day)
    chance = _opt_out(contact, enrolments, weeks, member=member, day=day, medium=medium)
    refuses = rng.random(len(member)) < chance
    until = _until(n, len(contact.media), member[refuses], medium[refuses], day[refuses])
    last = _last(until, member, medium, refuses & (day == until[member, medium]))
    sent = last | (day < until[member, medium])
    allowed = np.where(held_out, -1, until)[:, _medium(contact, contact.care_medium)]
    care_member, care_day = _care(contact, course, begins, allowed, rng)
    return Programme(
        begins, cadence, held_out, until, member[sent], day[sent], medium[sent], last[sent], care_member,
        care_day,
    )  # fmt: skip


def first_day(frame: Frame, joined: Ints) -> Ints:
    """Return the first whole day since joining that lies in the time observed."""
    found: Ints = np.maximum(-((joined - frame.start) // DAY), 0)
    return found


def _slots(
    contact: Contact, begins: Ints, cadence: Ints, days: int, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Draw members and days of messages to send: a Poisson number a week, on any of its days."""
    weekly = np.array([mean for _, _, mean in contact.cadence])[cadence]
    weeks = -(-days // WEEK)
    number = rng.poisson(np.repeat(weekly, weeks))
    cell = np.repeat(np.arange(number.size), number)
    member, week = np.divmod(cell, weeks)
    day = week * WEEK + rng.integers(WEEK, size=len(cell))
    due = (day >= begins[member]) & (day < days)
    order = np.lexsort((day[due], member[due]))
    return member[due][order], day[due][order]


def _media(contact: Contact, held_out: Bools, rng: np.random.Generator) -> tuple[Ints, Bools]:
    """Draw a channel for each message among those its member is not held out of."""
    shares = np.where(held_out, 0.0, np.array([medium.share for medium in contact.media]))
    edges = np.cumsum(shares, axis=1)
    drawn = rng.random(len(held_out)) * edges[:, -1]
    medium = (drawn[:, None] >= edges[:, :-1]).sum(axis=1)
    return medium, edges[:, -1] > 0


def _opt_out(
    contact: Contact,
    enrolments: list[Enrolment],
    weeks: Ints,
    *,
    member: Ints,
    day: Ints,
    medium: Ints,
) -> Floats:
    """Return the probability that a message makes its member opt out of its channel."""
    chance = np.array([m.opt_out for m in contact.media])[medium]
    tired = weeks[member, day // WEEK] > 0
    chance = chance * np.where(tired, contact.tired_opt_out, 1.0)
    for enrolment in enrolments:
        factor = np.array([s.opt_out for s in enrolment.trial.schemes])[enrolment.scheme[member]]
        rewarded = enrolment.entitled[member] & in_reward(enrolment.trial, day - enrolment.day[member])
        chance = chance * np.where(rewarded, factor, 1.0)
    return chance


def _until(n: int, media: int, member: Ints, medium: Ints, day: Ints) -> Ints:
    until = np.full((n, media), NEVER)
    np.minimum.at(until, (member, medium), day)
    return until


def _last(until: Ints, member: Ints, medium: Ints, refused: Bools) -> Bools:
    """Return one message for each channel that a member opts out of, the first of its day's."""
    rows = np.flatnonzero(refused)
    _, first = np.unique(member[rows] * until.shape[1] + medium[rows], return_index=True)
    last = np.zeros_like(refused)
    last[rows[first]] = True
    return last


def _medium(contact: Contact, name: str) -> int:
    return [medium.name for medium in contact.media].index(name)


def _care(
    contact: Contact, course: Course, begins: Ints, until: Ints, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Draw messages of the targeted campaign: to silent members, on the first day of a week.

    Its channel is closed for who is held out of it, has opted out of it (`until`) or pauses.
    """
    silent = course.stage[:, ::WEEK] == SILENT
    member, week = np.nonzero(silent & (rng.random(silent.shape) < contact.care))
    day = week * WEEK
    due = (day >= begins[member]) & (day < until[member]) & ~course.paused[member, day]
    return member[due], day[due]


def excess(contact: Contact, n: int, days: int, member: Ints, day: Ints) -> Ints:
    """Return by how many messages each week of each member (members, weeks) exceeds what does no harm."""
    weeks = -(-days // WEEK)
    sent = np.bincount(member * weeks + day // WEEK, minlength=n * weeks).reshape(n, weeks)
    return np.maximum(sent - contact.tires_above, 0)


def programme_hazard(contact: Contact, programme: Programme, days: int) -> Floats:
    """Return the factor of the programme on the hazard (members, days): tiring, and channels' own.

    In the week in which the programme begins, tiring begins with it: what came before observation decides on
    who is seen, and is not to be changed afterwards.
    """
    n = len(programme.begins)
    tired = excess(contact, n, days, programme.member, programme.day)
    logs = np.repeat(contact.tires * tired, WEEK, axis=1)[:, :days]
    logs *= np.arange(days) >= programme.begins[:, None]
    return np.exp(logs + _own(programme, days, np.log([m.hazard for m in contact.media])))


def programme_sessions(contact: Contact, programme: Programme, days: int) -> Floats:
    """Return the factor of the programme on sessions (members, days)."""
    return np.exp(_own(programme, days, np.log([m.sessions for m in contact.media])))


def _own(programme: Programme, days: int, logs: Floats) -> Floats:
    """Sum the channels' logarithms over the days on which a member is in their programmes."""
    total = np.zeros((len(programme.begins), days))
    day = np.arange(days)
    since = day >= programme.begins[:, None]
    for medium, log in enumerate(logs):
        if log:
            served = since & ~programme.held_out[:, medium, None] & (day <= programme.until[:, medium, None])
            total += np.where(served, log, 0.0)
    return total
