"""Make a world block by block, and hold it in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial, reduce
from operator import add
from typing import Any

import pandas as pd
import pyarrow as pa

from sojourn.world.activity import draw_events
from sojourn.world.clock import DAY, instant
from sojourn.world.costs import make_costs
from sojourn.world.demo import world_parameters
from sojourn.world.hazards import Hazards, make_hazards
from sojourn.world.lives import draw_lives
from sojourn.world.members import draw_people, draw_referrers
from sojourn.world.parameters import Frame
from sojourn.world.randomness import BLOCK, blocks, stream
from sojourn.world.tables import assignments_table, costs_table, events_table, member_ids, members_table
from sojourn.world.truth import HORIZONS, Tally, Truth, summarise, tally, truth_rows

#: Keys of ``cases.CASE.prepare`` that a world is made from (beside the seed).
WORLD_KEYS: tuple[str, ...] = ("members", "as_of", "start", "time_zone", "effects", "separation")
#: Observed tables of a world.
TABLES: tuple[str, ...] = ("members", "events", "assignments", "costs")
#: Days in which members join when no start is given: about 18 months.
JOINING_DAYS = 548


@dataclass(frozen=True, slots=True, repr=False)
class World:
    """A simulated membership platform, with its truth.

    Attributes
    ----------
    members, events, assignments, costs : DataFrame
        As the contract describes them (`sojourn.core.schema`); amounts are decimals, instants UTC.
    truth : Truth
        What is so, never part of an observed table.
    frame : Frame
        What it was drawn from.
    """

    members: pd.DataFrame
    events: pd.DataFrame
    assignments: pd.DataFrame
    costs: pd.DataFrame
    truth: Truth
    frame: Frame

    def __repr__(self) -> str:
        rows = ", ".join(f"{name} {len(getattr(self, name)):,}" for name in TABLES)
        as_of = self.truth.summary["world"]["as_of"]
        return f"World of seed {self.frame.seed} ({rows} rows; as of {as_of})"


@dataclass(frozen=True, slots=True)
class Block:
    """Tables and counts of one block of members.

    Attributes
    ----------
    tables : mapping of str to Arrow table
        The observed tables, and ``truth``.
    tally : Tally
        Counts for the summary of the truth.
    """

    tables: Mapping[str, Any]
    tally: Tally


def make_world(
    *,
    members: int,
    seed: int,
    as_of: str | datetime,
    start: str | datetime | None = None,
    time_zone: str = "Europe/Berlin",
    effects: float = 1.0,
    separation: float = 1.0,
) -> World:
    """Draw a platform of `members` and hold it in memory.

    Parameters
    ----------
    members : int
        Number of members, at least 1; about 70 events each.
    seed : int
        Seed; the same seed gives the same world. Whole blocks of 4,096 members do not depend on `members`.
    as_of : str or datetime
        End of observation, with its offset from UTC; nothing happens at it or later.
    start : str or datetime, optional
        When the first members join; 548 days before `as_of` when not given.
    time_zone : str
        Whose local time the rhythms of the day and week follow.
    effects, separation : float
        Strength of the schemes and distance of the hidden segments; see `world_parameters`.

    Raises
    ------
    ParameterError
        When a value is out of its range.
    """
    frame = world_frame(
        members=members, seed=seed, as_of=as_of, start=start,
        time_zone=time_zone, effects=effects, separation=separation,
    )  # fmt: skip
    made = [make_block(frame, *which) for which in blocks(frame.members)]
    names = (*TABLES, "truth")
    frames = {name: pa.concat_tables(b.tables[name] for b in made).to_pandas() for name in names}
    truth = Truth(summarise_world(frame, reduce(add, (b.tally for b in made))), frames.pop("truth"))
    return World(**frames, truth=truth, frame=frame)


def world_frame(
    *,
    members: int,
    seed: int,
    as_of: str | datetime,
    start: str | datetime | None,
    time_zone: str,
    effects: float,
    separation: float,
) -> Frame:
    """Return the frame of a world, its values read and checked; parameters as for `make_world`."""
    end = instant(as_of, "as_of")
    begins = end - JOINING_DAYS * DAY if start is None else instant(start, "start")
    parameters = world_parameters(effects=effects, separation=separation)
    return Frame(members, seed, begins, end, time_zone, parameters)


def make_block(frame: Frame, block: int, n: int) -> Block:
    """Draw one block of a world: number `block`, of `n` members."""
    draw = partial(stream, frame.seed, block=block)
    hazards = world_hazards(frame)
    ids = member_ids(block * BLOCK, n)
    people = draw_people(frame, n, draw("members"))
    lives = draw_lives(frame, people, hazards, trial=draw("assignments"), churn=draw("churn"))
    events = draw_events(frame, people, lives, draw("events"))
    referrer = draw_referrers(frame, people, lives.left, draw("referrals"))
    tables = {
        "members": members_table(frame, people, lives, referrer, ids),
        "events": events_table(events, ids),
        "assignments": assignments_table(frame, people, lives, ids),
        "costs": costs_table(frame, make_costs(frame, people, lives, events), ids),
        "truth": pa.table({"member_id": ids, **truth_rows(frame, people, lives, hazards)}),
    }
    return Block(tables, tally(frame, people, lives))


@lru_cache(maxsize=4)
def world_hazards(frame: Frame) -> Hazards:
    """Return the hazards of a world, over its longest follow-up and every horizon of the truth."""
    trial, churn = frame.parameters.trial, frame.parameters.churn
    needed = trial.day + trial.horizon_days + churn.quiet_days
    return make_hazards(frame.parameters, max(frame.days + 1, max(HORIZONS) + 1, needed))


def summarise_world(frame: Frame, counts: Tally) -> dict[str, Any]:
    """Return the truth of a world from the counts of all its blocks, as JSON holds it."""
    return summarise(frame, world_hazards(frame), counts)
