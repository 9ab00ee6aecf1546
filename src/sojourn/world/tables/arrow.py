"""Tables as the contract has them, made from the arrays of one block."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from sojourn.core.schema import CONTRACT
from sojourn.world.arrays import Bools, Floats, Ints
from sojourn.world.clock import DAY
from sojourn.world.members.population import Population
from sojourn.world.parameters import EVENTS, FEATURES, REASONS, Frame
from sojourn.world.tables.assignments import Assignments, scheme_names, trial_names
from sojourn.world.tables.costs import WHAT, Costs
from sojourn.world.tables.events import Events
from sojourn.world.tables.items import catalogue
from sojourn.world.tables.messages import CAMPAIGNS, Messages
from sojourn.world.tables.spells import ENDS, Spells

#: Columns of the contract that the world fills, by table, in the contract's order.
COLUMNS: dict[str, tuple[str, ...]] = {
    "members": (
        "member_id", "joined_at", "churned_at", "churn_reason", "channel", "plan", "birth_year", "gender",
        "region", "referred_by", "consent",
    ),
    "events": (
        "member_id", "occurred_at", "event", "feature", "item_id", "amount", "load_ms", "recorded_at",
    ),
    "assignments": ("trial", "member_id", "scheme", "assigned_at", "cluster"),
    "costs": ("what", "member_id", "scheme", "channel", "amount", "at"),
    "spells": ("member_id", "started_at", "ended_at", "plan", "price", "end_reason", "voluntary"),
    "messages": (
        "member_id", "sent_at", "channel", "campaign", "opened_at", "clicked_at", "opted_out_at", "cost",
    ),
    "ledger": ("member_id", "at", "kind", "points", "reason", "tier"),
    "revenue": ("stream", "at", "amount", "member_id", "item_id"),
    "items": ("item_id", "published_at", "category", "creator", "price"),
    "touches": ("prospect_id", "member_id", "touched_at", "medium", "campaign", "shown", "cost"),
    "responses": ("member_id", "asked_at", "survey", "answered_at", "score", "comment"),
    "tickets": ("member_id", "opened_at", "topic", "replied_at", "closed_at", "resolved"),
    "external": ("indicator", "at", "value", "unit", "source"),
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


def members_table(frame: Frame, block: Population, withdrawn: Bools, ids: Any) -> Any:
    """Return table `members` of a block."""
    parameters, joining, people, lives = frame.parameters, frame.parameters.joining, block.people, block.lives
    gone = (lives.left < frame.as_of) & lives.announced
    consent = (people.consent == 0) & ~withdrawn
    return table("members", [
        ids,
        instants(people.joined),
        instants(lives.left, missing=~gone),
        words(REASONS, lives.reason, missing=~gone),
        words([c.name for c in parameters.channels], people.channel),
        words([p.name for p in parameters.plans], people.plan),
        pa.array(people.birth_year, mask=people.birth_year < 0),
        words([name for name, _ in joining.genders], people.gender),
        words([region.name for region in joining.regions], people.region),
        ids.take(pa.array(block.referrer, mask=block.referrer < 0)),
        pa.array(consent, mask=(people.consent == 2) & ~withdrawn),
    ])  # fmt: skip


def events_table(frame: Frame, events: Events, ids: Any, rng: np.random.Generator) -> Any:
    """Return table `events` of a block: a few rows become known late, and those not known yet are absent."""
    activity = frame.parameters.activity
    late = rng.random(len(events.at)) < activity.late
    delay = np.ceil(activity.late_days * DAY * rng.standard_exponential(len(events.at))).astype(np.int64)
    recorded = events.at + np.where(late, delay, 0)
    rows = np.flatnonzero(recorded < frame.as_of)
    return table("events", [
        ids.take(pa.array(events.member[rows])),
        instants(events.at[rows]),
        words(EVENTS, events.event[rows]),
        words(FEATURES, events.feature[rows]),
        item_ids(frame).take(pa.array(events.item[rows], mask=events.item[rows] < 0)),
        money(events.cents[rows], missing=events.cents[rows] == 0),
        pa.array(events.load[rows], mask=events.load[rows] < 0),
        instants(recorded[rows], missing=~late[rows]),
    ])  # fmt: skip


def assignments_table(frame: Frame, assignments: Assignments, block: int, ids: Any) -> Any:
    """Return table `assignments` of a block; names of clubs hold its number."""
    clubs = [f"club {block}-{club}" for club in range(max(frame.parameters.joining.clubs, 1))]
    return table("assignments", [
        words(trial_names(frame), assignments.trial),
        ids.take(pa.array(assignments.member)),
        words(scheme_names(frame), assignments.scheme),
        instants(assignments.at),
        words(clubs, assignments.club, missing=assignments.club < 0),
    ])  # fmt: skip


def costs_table(frame: Frame, costs: Costs, ids: Any) -> Any:
    """Return table `costs` of a block."""
    return table("costs", [
        words(WHAT, costs.what),
        ids.take(pa.array(costs.member)),
        words(scheme_names(frame), costs.scheme, missing=costs.scheme < 0),
        words([c.name for c in frame.parameters.channels], costs.channel, missing=costs.channel < 0),
        money(costs.cents),
        instants(costs.at),
    ])  # fmt: skip


def spells_table(frame: Frame, spells: Spells, ids: Any) -> Any:
    """Return table `spells` of a block."""
    lasting = np.isinf(spells.ended)
    return table("spells", [
        ids.take(pa.array(spells.member)),
        instants(spells.started),
        instants(spells.ended, missing=lasting),
        words([p.name for p in frame.parameters.plans], spells.plan),
        money(spells.cents),
        words(ENDS, spells.end, missing=lasting),
        pa.array(spells.voluntary, mask=lasting),
    ])  # fmt: skip


def messages_table(frame: Frame, messages: Messages, ids: Any) -> Any:
    """Return table `messages` of a block."""
    return table("messages", [
        ids.take(pa.array(messages.member)),
        instants(messages.sent),
        words([m.name for m in frame.parameters.contact.media], messages.medium),
        words(CAMPAIGNS, messages.campaign),
        instants(messages.opened, missing=np.isinf(messages.opened)),
        instants(messages.clicked, missing=np.isinf(messages.clicked)),
        instants(messages.opted_out, missing=np.isinf(messages.opted_out)),
        money(messages.mills, places=4),
    ])  # fmt: skip


def items_table(frame: Frame) -> Any:
    """Return table `items` of a world."""
    items, offers = catalogue(frame), frame.parameters.offers
    creators = [f"creator {number}" for number in range(offers.creators)]
    return table("items", [
        item_ids(frame),
        instants(items.published),
        words(offers.categories, items.category),
        words(creators, items.creator),
        money(items.cents),
    ])  # fmt: skip


def item_ids(frame: Frame) -> Any:
    """Return the ids of all items, for example ``I0042``."""
    return pa.array(np.char.mod("I%04d", np.arange(frame.parameters.offers.items)), pa.string())


def instants(seconds: Ints | Floats, *, missing: Bools | None = None) -> Any:
    """Return instants as Arrow timestamps in UTC."""
    known = seconds if missing is None else np.where(missing, 0, seconds)
    return pa.array(known.astype(np.int64) * 1_000_000, mask=missing).cast(_ARROW["instant"])


def money(amounts: Ints, *, places: int = 2, missing: Bools | None = None) -> Any:
    """Return whole numbers of the `places`-th place as Arrow decimals with four places."""
    distinct, code = np.unique(amounts, return_inverse=True)
    values = pa.array([Decimal(int(value)).scaleb(-places) for value in distinct], _ARROW["decimal"])
    return values.take(pa.array(code, mask=missing))


def words(values: Sequence[str], codes: Ints, *, missing: Bools | None = None) -> Any:
    """Return codes as Arrow strings."""
    return pa.array(list(values), pa.string()).take(pa.array(codes, mask=missing))


def table(name: str, columns: list[Any]) -> Any:
    """Return an Arrow table of the contract from its columns in the order of `COLUMNS`."""
    return pa.Table.from_arrays(columns, schema=schema(name))
