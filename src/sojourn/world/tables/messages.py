"""Table `messages`: what members are sent, and what they do with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.world.arrays import Bools, Floats, Ints
from sojourn.world.clock import DAY, HOUR
from sojourn.world.members.people import next_local
from sojourn.world.members.population import Population
from sojourn.world.parameters import Contact, Frame

#: Campaigns: the randomised programme, and what the targeted one is called.
CAMPAIGNS: tuple[str, ...] = ("programme", "we miss you")


@dataclass(frozen=True, slots=True)
class Messages:
    """Messages of one block, ordered by member and instant.

    Attributes
    ----------
    member, sent, medium, campaign : array of int
        Number of the member within the block, instant, codes of the channel and of `CAMPAIGNS`.
    opened, clicked, opted_out : array of float
        Instants; infinite where it did not happen before `as_of`.
    mills : array of int
        Money spent, in ten-thousandths.
    """

    member: Ints
    sent: Ints
    medium: Ints
    campaign: Ints
    opened: Floats
    clicked: Floats
    opted_out: Floats
    mills: Ints


def draw_messages(frame: Frame, block: Population, rng: np.random.Generator) -> Messages:
    """Draw when messages are sent on their days and what becomes of them.

    Who has left without a word goes on being written to, and answers no more: else the end of messages would
    tell what the platform does not know.
    """
    contact, programme = frame.parameters.contact, block.programme
    care = [medium.name for medium in contact.media].index(contact.care_medium)
    member = np.concatenate([programme.member, programme.care_member])
    day = np.concatenate([programme.day, programme.care_day])
    medium = np.append(programme.medium, np.full(len(programme.care_day), care))
    campaign = np.repeat([0, 1], [len(programme.day), len(programme.care_day)])
    refuses = np.append(programme.opts_out, np.zeros(len(programme.care_day), dtype=bool))
    time_of_day = rng.integers(9 * HOUR, 20 * HOUR, size=len(member))
    start = block.people.joined[member] + day * DAY
    sent = next_local(frame, block.people.region[member], start, time_of_day)
    known = np.where(block.lives.announced, block.lives.left, np.inf)
    here = np.flatnonzero((sent >= frame.start) & (sent < np.minimum(known, frame.as_of)[member]))
    order = here[np.lexsort((medium[here], sent[here], member[here]))]
    member, sent, medium = member[order], sent[order], medium[order]
    there = sent < block.lives.left[member]
    refuses = refuses[order] & there
    keen = np.exp(contact.keen * block.people.satisfaction[member] - contact.keen**2 / 2)
    opened, clicked = _answers(contact, medium, sent, keen=keen * there, refuses=refuses, rng=rng)
    cost = np.array([round(m.cost * 10_000) for m in contact.media])
    return Messages(
        member=member,
        sent=sent,
        medium=medium,
        campaign=campaign[order],
        opened=_known(frame, opened),
        clicked=_known(frame, clicked),
        opted_out=_known(frame, np.where(refuses, opened + 60, np.inf)),
        mills=cost[medium],
    )


def _answers(
    contact: Contact, medium: Ints, sent: Ints, *, keen: Floats, refuses: Bools, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw instants of opening and clicking; keen members open more, and who opts out has opened."""
    opens, clicks = (np.array([getattr(m, name) for m in contact.media]) for name in ("opened", "clicked"))
    does_open = refuses | (rng.random(len(sent)) < np.minimum(opens[medium] * keen, 1.0))
    after = np.floor(2 * HOUR * rng.standard_exponential(len(sent))) + 1
    opened = np.where(does_open, sent + after, np.inf)
    does_click = does_open & (rng.random(len(sent)) < clicks[medium])
    return opened, np.where(does_click, opened + rng.integers(2, 60, size=len(sent)), np.inf)


def _known(frame: Frame, at: Floats) -> Floats:
    return np.where(at < frame.as_of, at, np.inf)
