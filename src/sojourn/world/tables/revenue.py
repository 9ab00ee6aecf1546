"""Table `revenue`: what the platform earns beside purchases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sojourn.world.arrays import Bools, Floats, Ints, join, take
from sojourn.world.clock import DAY
from sojourn.world.members.population import Population
from sojourn.world.parameters import Frame
from sojourn.world.tables.arrow import instants, item_ids, money, table, words
from sojourn.world.tables.events import Events
from sojourn.world.tables.items import catalogue

#: Where money comes from.
STREAMS: tuple[str, ...] = ("advertising", "trade fee", "service")
ADVERTISING, FEE, SERVICE = range(len(STREAMS))
#: Ten-thousandths in one unit of money.
_MILLS = 10_000


@dataclass(frozen=True, slots=True)
class Revenue:
    """Money earned in one block, ordered by member, instant and stream.

    Attributes
    ----------
    stream, member, at : array of int
        Code of `STREAMS`, number of the member within the block, instant.
    mills : array of int
        Money earned in ten-thousandths, negative when given back; never 0.
    item : array of int
        Number of the item, -1 for none.
    """

    stream: Ints
    member: Ints
    at: Ints
    mills: Ints
    item: Ints


def draw_revenue(frame: Frame, block: Population, events: Events, rng: np.random.Generator) -> Revenue:
    """Draw what is earned from the members of a block, whose `events` are given."""
    parts = [_advertising(frame, events, rng), _fees(frame, events), _services(frame, block, rng)]
    revenue = join(parts)
    order = np.lexsort((revenue.item, revenue.stream, revenue.at, revenue.member))
    return take(revenue, order[revenue.mills[order] != 0])


def view_means(frame: Frame) -> Floats:
    """Return the mean money earned by one view of each item."""
    return np.array(frame.parameters.income.views)[catalogue(frame).category]


def _advertising(frame: Frame, events: Events, rng: np.random.Generator) -> Revenue:
    """Log-normal money per view, summed up by member and span of days since observation began."""
    income = frame.parameters.income
    rows = events.of("view")
    spread = income.views_spread
    factor = np.exp(spread * rng.standard_normal(len(rows)) - spread**2 / 2)
    earned = view_means(frame)[events.item[rows]] * factor
    member, span = events.member[rows], (events.at[rows] - frame.start) // (income.settle_days * DAY)
    last = np.ones(len(rows), dtype=bool)
    last[:-1] = (member[1:] != member[:-1]) | (span[1:] != span[:-1])
    booked = np.flatnonzero(last)
    sums = np.add.reduceat(earned, np.append(0, booked[:-1] + 1)[: len(booked)])
    return _revenue(ADVERTISING, member[booked], events.at[rows[booked]], np.rint(sums * _MILLS))


def _fees(frame: Frame, events: Events) -> Revenue:
    """The platform's share of every purchase of an item, and of every refund."""
    rows = events.of("purchase")
    rows = rows[events.item[rows] >= 0]
    share = round((1 - frame.parameters.income.creators_share) * 100)
    return _revenue(FEE, events.member[rows], events.at[rows], share * events.cents[rows], events.item[rows])


def _services(frame: Frame, block: Population, rng: np.random.Generator) -> Revenue:
    """Fees from booking on, once every `service_days` days until the end of the first stay."""
    income, people = frame.parameters.income, block.people
    n = len(block)
    takes = rng.random(n) < np.array(income.services)[people.plan]
    wait = np.ceil(income.service_after * DAY * rng.standard_exponential(n)).astype(np.int64)
    begins, ends = people.joined + wait, block.lives.ends(frame)[0]
    step = income.service_days * DAY
    number = np.where(takes, np.maximum(-((begins - ends) // step), 0), 0)
    member = np.repeat(np.arange(n), number)
    nth = np.arange(len(member)) - np.repeat(np.cumsum(number) - number, number)
    at = begins[member] + nth * step
    seen: Bools = at >= frame.start
    prices = np.rint(np.array(income.service_prices) * _MILLS).astype(np.int64)
    return _revenue(SERVICE, member[seen], at[seen], prices[people.plan[member[seen]]])


def _revenue(stream: int, member: Ints, at: Ints, mills: Ints | Floats, item: Ints | None = None) -> Revenue:
    none = np.full(len(member), -1)
    codes = np.full(len(member), stream)
    return Revenue(codes, member, at, mills.astype(np.int64), none if item is None else item)


def revenue_table(frame: Frame, revenue: Revenue, ids: Any) -> Any:
    """Return table `revenue` of a block."""
    return table("revenue", [
        words(STREAMS, revenue.stream),
        instants(revenue.at),
        money(revenue.mills, places=4),
        ids.take(pa.array(revenue.member)),
        item_ids(frame).take(pa.array(revenue.item, mask=revenue.item < 0)),
    ])  # fmt: skip
