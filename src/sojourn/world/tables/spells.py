"""Table `spells`: stretches of membership on one plan, with pauses, leaving and returns between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.world.arrays import Bools, Ints
from sojourn.world.clock import DAY
from sojourn.world.members.population import Population
from sojourn.world.parameters import Frame
from sojourn.world.parameters.people import REASONS

#: Why a spell ends beside the reasons of leaving: the member changes the plan, or rests.
ENDS: tuple[str, ...] = (*REASONS, "upgrade", "downgrade", "pause")
UPGRADE, DOWNGRADE, PAUSE = (ENDS.index(name) for name in ("upgrade", "downgrade", "pause"))


@dataclass(frozen=True, slots=True)
class Spells:
    """Spells of one block, ordered by member and begin.

    Attributes
    ----------
    member, started, plan, cents : array of int
        Number of the member within the block, instant, code of the plan, price per month in hundredths.
    ended : array of float
        Instant; infinite where it lasts at `as_of` or its end is not known.
    end : array of int
        Code of `ENDS`; what it is without an end says nothing.
    voluntary : array of bool
        Whether the member ended it.
    """

    member: Ints
    started: Ints
    plan: Ints
    cents: Ints
    ended: np.ndarray
    end: Ints
    voluntary: Bools


def make_spells(frame: Frame, block: Population) -> Spells:
    """Return the spells that follow from courses and lives; nothing is random here.

    Who leaves without a word changes nothing any more, and the last spell has no end.
    """
    course, lives, joined = block.course, block.lives, block.people.joined
    prices = np.array([round(plan.price * 100) for plan in frame.parameters.plans])
    member, day = _starts(course.plan.astype(np.int64), course.paused)
    started = joined[member] + day * DAY
    seen = (started < lives.left[member]) & (started < frame.as_of)
    member, day, started = member[seen], day[seen], started[seen]
    running = ~course.paused[member, day]
    following = np.append(started[1:], 0).astype(np.float64)
    same = np.append(member[1:] == member[:-1], False)
    planned = np.where(same, following, np.inf)
    leaves = planned >= lives.left[member]
    ended = np.where(leaves, np.where(lives.announced, lives.left, np.inf)[member], planned)
    plan = course.plan[member, day].astype(np.int64)
    end = np.where(
        leaves,
        lives.reason[member],
        _change(plan, np.append(plan[1:], 0), np.append(~running[1:], False), prices),
    )
    voluntary = np.where(leaves, lives.voluntary[member], True)
    first = Spells(
        member[running], started[running], plan[running], _price(frame, prices, plan, started)[running],
        np.where(ended < frame.as_of, ended, np.inf)[running], end[running], voluntary[running],
    )  # fmt: skip
    return _with_returns(frame, block, first, prices)


def _starts(plan: Ints, paused: Bools) -> tuple[Ints, Ints]:
    """Return members and days since joining on which plan or pause change, and the first day."""
    state = plan * 2 + paused
    changes = np.ones(state.shape, dtype=bool)
    changes[:, 1:] = state[:, 1:] != state[:, :-1]
    member, day = np.nonzero(changes)
    return member, day


def _change(plan: Ints, following: Ints, pauses: Bools, prices: Ints) -> Ints:
    dearer = prices[following] > prices[plan]
    return np.where(pauses, PAUSE, np.where(dearer, UPGRADE, DOWNGRADE))


def _price(frame: Frame, prices: Ints, plan: Ints, started: Ints) -> Ints:
    """Return the price per month at the begin of a spell, a tenth more after a rise of prices."""
    rise = frame.parameters.churn.price_rise
    dearer = (started >= frame.as_of - rise * DAY) if rise else np.zeros(len(started), dtype=bool)
    return np.where(dearer, np.rint(prices[plan] * 1.1), prices[plan]).astype(np.int64)


def _with_returns(frame: Frame, block: Population, first: Spells, prices: Ints) -> Spells:
    """Add the second stays: on the plan that was left."""
    lives = block.lives
    rows = np.flatnonzero(lives.announced & (lives.returned < frame.as_of))
    last = np.searchsorted(first.member, rows, side="right") - 1
    started = lives.returned[rows].astype(np.int64)
    again = lives.left_again[rows]
    parts = {
        "member": rows,
        "started": started,
        "plan": first.plan[last],
        "cents": _price(frame, prices, first.plan[last], started),
        "ended": np.where(again < frame.as_of, again, np.inf),
        "end": lives.reason[rows],
        "voluntary": np.ones(len(rows), dtype=bool),
    }
    both = {name: np.concatenate([getattr(first, name), part]) for name, part in parts.items()}
    order = np.lexsort((both["started"], both["member"]))
    return Spells(**{name: column[order] for name, column in both.items()})
