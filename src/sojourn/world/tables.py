"""Tables as the contract has them, made from the arrays of one block."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from sojourn.core.schema import CONTRACT
from sojourn.world.activity import Events
from sojourn.world.clock import DAY, Ints
from sojourn.world.costs import Costs
from sojourn.world.lives import Bools, Lives
from sojourn.world.members import People
from sojourn.world.parameters import EVENTS, FEATURES, REASONS, Frame

#: Columns of the contract that the world fills, by table, in the contract's order.
COLUMNS: dict[str, tuple[str, ...]] = {
    "members": (
        "member_id", "joined_at", "churned_at", "churn_reason", "channel", "plan", "birth_year", "gender",
        "region", "referred_by", "consent",
    ),
    "events": ("member_id", "occurred_at", "event", "feature", "amount"),
    "assignments": ("trial", "member_id", "scheme", "assigned_at"),
    "costs": ("what", "member_id", "scheme", "channel", "amount", "at"),
}  # fmt: skip
_ARROW: dict[str, Any] = {
    "id": pa.string(), "category": pa.string(), "text": pa.string(), "instant": pa.timestamp("us", tz="UTC"),
    "integer": pa.int64(), "decimal": pa.decimal128(18, 4), "bool": pa.bool_(),
}  # fmt: skip


def schema(table: str) -> Any:
    """Return the Arrow schema of a table of the world."""
    contract = CONTRACT[table]
    return pa.schema([(name, _ARROW[contract.column(name).type]) for name in COLUMNS[table]])


def member_ids(first: int, n: int) -> Any:
    """Return the platform's ids of `n` members from number `first`, for example ``M0000123``."""
    return pa.array(np.char.mod("M%07d", np.arange(first, first + n)), pa.string())


def members_table(frame: Frame, people: People, lives: Lives, referrer: Ints, ids: Any) -> Any:
    """Return table `members` of a block."""
    parameters, joining = frame.parameters, frame.parameters.joining
    gone = lives.left < frame.as_of
    left = np.where(gone, lives.left, 0).astype(np.int64)
    return _table("members", [
        ids,
        instants(people.joined),
        instants(left, missing=~gone),
        words(REASONS, lives.reason, missing=~gone),
        words([c.name for c in parameters.channels], people.channel),
        words([p.name for p in parameters.plans], people.plan),
        pa.array(people.birth_year, mask=people.birth_year < 0),
        words([name for name, _ in joining.genders], people.gender),
        words([name for name, _ in joining.regions], people.region),
        ids.take(pa.array(referrer, mask=referrer < 0)),
        pa.array(np.ones(len(people), dtype=bool)),
    ])  # fmt: skip


def events_table(events: Events, ids: Any) -> Any:
    """Return table `events` of a block."""
    return _table("events", [
        ids.take(pa.array(events.member)),
        instants(events.at),
        words(EVENTS, events.event),
        words(FEATURES, events.feature),
        money(events.cents, missing=events.cents == 0),
    ])  # fmt: skip


def assignments_table(frame: Frame, people: People, lives: Lives, ids: Any) -> Any:
    """Return table `assignments` of a block."""
    trial = frame.parameters.trial
    rows = np.flatnonzero(lives.assigned)
    return _table("assignments", [
        words([trial.name], np.zeros(len(rows), dtype=np.int64)),
        ids.take(pa.array(rows)),
        words([s.name for s in trial.schemes], lives.scheme[rows]),
        instants(people.joined[rows] + trial.day * DAY),
    ])  # fmt: skip


def costs_table(frame: Frame, costs: Costs, ids: Any) -> Any:
    """Return table `costs` of a block."""
    n = len(costs.at)
    return _table("costs", [
        words(["incentive"], np.zeros(n, dtype=np.int64)),
        ids.take(pa.array(costs.member)),
        words([s.name for s in frame.parameters.trial.schemes], costs.scheme),
        pa.nulls(n, pa.string()),
        money(costs.cents),
        instants(costs.at),
    ])  # fmt: skip


def instants(seconds: Ints, *, missing: Bools | None = None) -> Any:
    """Return instants as Arrow timestamps in UTC."""
    return pa.array(seconds * 1_000_000, mask=missing).cast(_ARROW["instant"])


def money(cents: Ints, *, missing: Bools | None = None) -> Any:
    """Return hundredths as Arrow decimals with four places."""
    distinct, code = np.unique(cents, return_inverse=True)
    amounts = pa.array([Decimal(int(value)).scaleb(-2) for value in distinct], _ARROW["decimal"])
    return amounts.take(pa.array(code, mask=missing))


def words(values: Sequence[str], codes: Ints, *, missing: Bools | None = None) -> Any:
    """Return codes as Arrow strings."""
    return pa.array(list(values), pa.string()).take(pa.array(codes, mask=missing))


def _table(name: str, columns: list[Any]) -> Any:
    return pa.Table.from_arrays(columns, schema=schema(name))
