"""Worlds that several tests look at, drawn once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from sojourn.world import World, make_world
from sojourn.world.activity import Events, draw_events
from sojourn.world.costs import Costs, make_costs
from sojourn.world.lives import Lives, draw_lives
from sojourn.world.make import world_frame, world_hazards
from sojourn.world.members import People, draw_people
from sojourn.world.parameters import Frame
from sojourn.world.randomness import BLOCK, stream
from sojourn.world.truth import summarise, tally

AS_OF = "2025-07-01T00:00:00Z"


def frame_of(members: int, seed: int = 1, **changes) -> Frame:
    asked = {"as_of": AS_OF, "start": None, "time_zone": "Europe/Berlin", "effects": 1.0, "separation": 1.0}
    return world_frame(members=members, seed=seed, **{**asked, **changes})


@dataclass(frozen=True)
class Drawn:
    """Arrays of a world before they become tables, hidden ones among them."""

    frame: Frame
    people: People
    lives: Lives
    events: Events
    costs: Costs


def draw(blocks: int, seed: int, **changes) -> Drawn:
    frame = frame_of(blocks * BLOCK, seed, **changes)
    made = [_draw_block(frame, block) for block in range(blocks)]
    people, lives, events, costs = (_joined([part[i] for part in made]) for i in range(4))
    return Drawn(frame, people, lives, events, costs)


def _draw_block(frame: Frame, block: int):
    streams = {
        name: stream(frame.seed, name, block) for name in ("members", "assignments", "churn", "events")
    }
    people = draw_people(frame, BLOCK, streams["members"])
    lives = draw_lives(
        frame, people, world_hazards(frame), trial=streams["assignments"], churn=streams["churn"]
    )
    events = draw_events(frame, people, lives, streams["events"])
    return people, lives, events, make_costs(frame, people, lives, events)


def _joined(parts):
    columns = {}
    for name in parts[0].__dataclass_fields__:
        columns[name] = np.concatenate([getattr(part, name) for part in parts])
    if "member" in columns:
        columns["member"] += np.repeat(np.arange(len(parts)) * BLOCK, [len(part.member) for part in parts])
    return type(parts[0])(**columns)


@pytest.fixture(scope="session")
def drawn() -> Drawn:
    """61,440 members as arrays: sampling errors are a third of a percentage point and less."""
    return draw(15, seed=7)


@pytest.fixture(scope="session")
def world() -> World:
    """6,000 members as tables: one whole block and a part of one."""
    return make_world(members=6_000, seed=3, as_of=AS_OF)


@pytest.fixture(scope="session")
def summary(drawn) -> dict:
    """The truth of `drawn`, as truth.json would hold it."""
    counts = tally(drawn.frame, drawn.people, drawn.lives)
    return summarise(drawn.frame, world_hazards(drawn.frame), counts)
