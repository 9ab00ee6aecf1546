"""Make a world block by block, and hold it in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial, reduce
from itertools import batched
from operator import add
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from sojourn.world.catalogue import world_parameters
from sojourn.world.clock import DAY, instant
from sojourn.world.members.hazards import member_factor
from sojourn.world.members.population import Population, Streams, club_factors, draw_population
from sojourn.world.parameters import Frame, WorldParameters
from sojourn.world.randomness import BLOCK, PART, blocks, stream
from sojourn.world.tables.arrow import (
    assignments_table,
    costs_table,
    events_table,
    item_ids,
    items_table,
    member_ids,
    members_table,
    messages_table,
    spells_table,
)
from sojourn.world.tables.assignments import draw_assignments, withdrawn
from sojourn.world.tables.costs import make_costs
from sojourn.world.tables.events import Events, draw_events
from sojourn.world.tables.external import external_table
from sojourn.world.tables.items import catalogue
from sojourn.world.tables.ledger import (
    draw_ledger,
    draw_moves,
    draw_traits,
    ledger_table,
    traits_rows,
    with_redemptions,
)
from sojourn.world.tables.messages import draw_messages
from sojourn.world.tables.responses import draw_responses, responses_table
from sojourn.world.tables.revenue import draw_revenue, revenue_table
from sojourn.world.tables.rollout import choose
from sojourn.world.tables.sessions import draw_sessions
from sojourn.world.tables.spells import make_spells
from sojourn.world.tables.tickets import draw_tickets, tickets_table
from sojourn.world.tables.touches import draw_touches, touches_table
from sojourn.world.truth.breakage import expected_points
from sojourn.world.truth.expectations import Expected, expect
from sojourn.world.truth.summary import Truth, summarise, truth_rows
from sojourn.world.truth.tally import Tally, tally

#: Keys of ``cases.CASE.prepare`` that a world is made from (beside the seed).
WORLD_KEYS: tuple[str, ...] = ("members", "as_of", "start", "world", "effects", "separation")
#: Days of observation when no start is given: about 18 months.
OBSERVED_DAYS = 548


@dataclass(frozen=True, slots=True, repr=False)
class World:
    """A simulated membership platform, with its truth.

    Attributes
    ----------
    tables : mapping of str to DataFrame
        The observed tables as the contract describes them (`sojourn.core.schema`), which are attributes too
        (`world.events`); amounts are decimals, instants UTC.
    truth : Truth
        What is so, never part of an observed table.
    frame : Frame
        What it was drawn from.
    """

    tables: Mapping[str, pd.DataFrame]
    truth: Truth
    frame: Frame

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name in type(self).__slots__ or name not in self.tables:
            raise AttributeError(name)
        return self.tables[name]

    def __repr__(self) -> str:
        rows = ", ".join(f"{name} {len(frame):,}" for name, frame in self.tables.items())
        as_of = self.truth.summary["world"]["as_of"]
        name = self.frame.parameters.name
        return f"World '{name}' of seed {self.frame.seed} ({rows} rows; as of {as_of})"


@dataclass(frozen=True, slots=True)
class Block:
    """Tables and sums of one block of members.

    Attributes
    ----------
    tables, truth : mapping of str to Arrow table
        The observed tables, and those of the truth.
    tally : Tally
        Sums for the summary of the truth.
    """

    tables: Mapping[str, Any]
    truth: Mapping[str, Any]
    tally: Tally


def make_world(
    *,
    members: int,
    seed: int,
    as_of: str | datetime,
    start: str | datetime | None = None,
    world: str | WorldParameters = "demo",
    effects: float = 1.0,
    separation: float = 1.0,
) -> World:
    """Draw a platform of `members` and hold it in memory.

    Parameters
    ----------
    members : int
        Number of members, at least 1; about 100 events each.
    seed : int
        Seed; the same seed gives the same world. Whole blocks of 4,096 members do not depend on `members`.
    as_of : str or datetime
        End of observation, with its offset from UTC; nothing happens at it or later.
    start : str or datetime, optional
        Begin of observation; 548 days before `as_of` when not given. Some members have joined before.
    world : str or WorldParameters
        Which world: a name of `sojourn.world.WORLDS`, or parameters of your own.
    effects, separation : float
        Strength of the schemes and distance of the hidden segments; see `world_parameters`.

    Raises
    ------
    ParameterError
        When a value is out of its range.
    """
    frame = world_frame(
        members=members, seed=seed, as_of=as_of, start=start,
        world=world, effects=effects, separation=separation,
    )  # fmt: skip
    made = [make_block(frame, *which) for which in blocks(frame.members)]
    tables = {name: _together([b.tables[name] for b in made]) for name in made[0].tables}
    truths = {name: _together([b.truth[name] for b in made]) for name in made[0].truth}
    tables |= {name: table.to_pandas() for name, table in whole_tables(frame).items()}
    truths |= {name: table.to_pandas() for name, table in whole_truth(frame).items()}
    parts = (reduce(add, (b.tally for b in part)) for part in batched(made, PART))
    summary = summarise(frame, reduce(add, parts))
    return World(tables, Truth(summary, **truths), frame)


def _together(parts: list[Any]) -> pd.DataFrame:
    together: pd.DataFrame = pa.concat_tables(parts).to_pandas()
    return together


def world_frame(
    *,
    members: int,
    seed: int,
    as_of: str | datetime,
    start: str | datetime | None,
    world: str | WorldParameters,
    effects: float,
    separation: float,
) -> Frame:
    """Return the frame of a world, its values read and checked; parameters as for `make_world`."""
    end = instant(as_of, "as_of")
    begins = end - OBSERVED_DAYS * DAY if start is None else instant(start, "start")
    parameters = world_parameters(world, effects=effects, separation=separation)
    return Frame(members, seed, begins, end, parameters)


def make_block(frame: Frame, block: int, n: int) -> Block:
    """Draw one block of a world: number `block`, of `n` members."""
    draw: Streams = partial(stream, frame.seed, block=block)
    ids = member_ids(block * BLOCK, n)
    drawn = draw_population(frame, n, draw)
    sessions = draw_sessions(frame, drawn, draw("sessions"))
    events = draw_events(frame, drawn, sessions, draw("events"))
    chosen = choose(frame, drawn, sessions)
    costs = make_costs(frame, drawn, events, chosen)
    assignments = draw_assignments(frame, drawn, chosen, draw("assignments"))
    traits = draw_traits(frame, drawn, draw("points"))
    moves = draw_moves(frame, drawn, events, traits, draw("gifts"))
    ledger = draw_ledger(frame, drawn, moves, traits, draw("ledger"))
    tables = {
        "members": members_table(frame, drawn, withdrawn(drawn, draw("withdrawals")), ids),
        "events": events_table(frame, with_redemptions(events, ledger), ids, draw("late")),
        "assignments": assignments_table(frame, assignments, block, ids),
        "costs": costs_table(frame, costs, ids),
        "spells": spells_table(frame, make_spells(frame, drawn), ids),
        "messages": messages_table(frame, draw_messages(frame, drawn, draw("messages")), ids),
        "ledger": ledger_table(frame, ledger, ids),
        "revenue": revenue_table(frame, draw_revenue(frame, drawn, events, draw("revenue")), ids),
    }
    tables |= _voices(frame, drawn, events, draw, block=block, ids=ids)
    expected = [expect(frame, drawn, enrolment) for enrolment in drawn.enrolments]
    factor = member_factor(frame, drawn.people, club_factors(frame, draw))
    truth = {
        "members": pa.table({"member_id": ids, **truth_rows(frame, drawn, factor), **traits_rows(traits)}),
        "counterfactuals": _counterfactuals(drawn, expected, ids),
    }
    points = expected_points(frame, drawn, moves)
    return Block(tables, truth, tally(frame, drawn, expected, points))


def _voices(
    frame: Frame, drawn: Population, events: Events, draw: Streams, *, block: int, ids: Any
) -> dict[str, Any]:
    """Return what members said, and what they met before joining."""
    tickets = draw_tickets(frame, drawn, events, draw("tickets"))
    responses = draw_responses(frame, drawn, tickets, draw("responses"))
    touches = draw_touches(frame, drawn, draw("touches"))
    return {
        "responses": responses_table(responses, ids),
        "tickets": tickets_table(frame, tickets, ids),
        "touches": touches_table(frame, touches, block, ids),
    }


def whole_tables(frame: Frame) -> dict[str, Any]:
    """Return the observed tables that a world has once, not per block."""
    return {"items": items_table(frame), "external": external_table(frame)}


def whole_truth(frame: Frame) -> dict[str, Any]:
    """Return the tables of the truth that a world has once, not per block."""
    return {"items": pa.table({"item_id": item_ids(frame), "quality": catalogue(frame).quality.round(9)})}


def _counterfactuals(drawn: Population, expected: list[Expected], ids: Any) -> Any:
    """Return the chance of staying to the horizon of each trial, by member and scheme."""
    columns: dict[str, list[Any]] = {"member_id": [], "trial": [], "scheme": [], "kept": []}
    for enrolment, found in zip(drawn.enrolments, expected, strict=True):
        schemes = [scheme.name for scheme in enrolment.trial.schemes]
        n = len(found.rows) * len(schemes)
        columns["member_id"].append(ids.take(pa.array(np.repeat(found.rows, len(schemes)))))
        columns["trial"].append(pa.array([enrolment.trial.name] * n, pa.string()))
        columns["scheme"].append(pa.array(schemes * len(found.rows), pa.string()))
        columns["kept"].append(pa.array(found.kept.T.ravel().round(9), pa.float64()))
    return pa.table({name: pa.chunked_array(parts) for name, parts in columns.items()}).combine_chunks()
