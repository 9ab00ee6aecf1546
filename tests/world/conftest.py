"""Worlds that several tests look at, drawn once, and the ruler by which they are compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import add

import numpy as np
import pytest

from sojourn.world import World, make_world
from sojourn.world.arrays import join
from sojourn.world.make import world_frame
from sojourn.world.members.course import Course
from sojourn.world.members.lives import Lives
from sojourn.world.members.people import People
from sojourn.world.members.population import Population, draw_population
from sojourn.world.parameters import Frame, WorldParameters
from sojourn.world.randomness import BLOCK, stream
from sojourn.world.tables.assignments import Assignments, draw_assignments
from sojourn.world.tables.costs import Costs, make_costs
from sojourn.world.tables.events import Events, draw_events
from sojourn.world.tables.messages import Messages, draw_messages
from sojourn.world.tables.rollout import Chosen, choose
from sojourn.world.tables.sessions import Sessions, draw_sessions
from sojourn.world.tables.spells import Spells, make_spells
from sojourn.world.truth.expectations import expect
from sojourn.world.truth.summary import summarise
from sojourn.world.truth.tally import Tally, tally

AS_OF = "2025-07-01T00:00:00Z"
SIGMAS = 4.0


@dataclass(frozen=True)
class Drawn:
    """Arrays of a world before they become tables, hidden ones among them.

    `blocks` are the blocks' own arrays; all else is joined, `member` counting on over the blocks.
    """

    frame: Frame
    blocks: list[Population]
    people: People
    lives: Lives
    sessions: Sessions
    events: Events
    messages: Messages
    costs: Costs
    spells: Spells
    assignments: Assignments
    chosen: list[Chosen]

    def __len__(self) -> int:
        return len(self.people)

    def each(self, found: Callable[[Population], np.ndarray]) -> np.ndarray:
        """Return what is found of each block, one block after the other."""
        return np.concatenate([found(block) for block in self.blocks])

    def trial(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return who was assigned in a trial, by member, to which scheme, and on which day since joining."""
        number = [t.name for t in self.frame.parameters.trials].index(name)
        who = self.each(lambda b: b.assigned(b.enrolments[number]))
        return (
            who,
            self.each(lambda b: b.enrolments[number].scheme),
            self.each(lambda b: b.enrolments[number].day),
        )

    def count(self, rows: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """Return how many events each member has among some rows, or the sum of their weights."""
        given = None if weights is None else weights[rows]
        return np.bincount(self.events.member[rows], weights=given, minlength=len(self))


def frame_of(members: int, seed: int = 1, parameters: WorldParameters | None = None, **changes) -> Frame:
    asked = {"as_of": AS_OF, "start": None, "world": "demo", "effects": 1.0, "separation": 1.0}
    frame = world_frame(members=members, seed=seed, **{**asked, **changes})
    return frame if parameters is None else replace(frame, parameters=parameters)


def draw_blocks(frame: Frame) -> Drawn:
    """Draw all there is of a world of whole blocks."""
    parts = [_draw_block(frame, block) for block in range(frame.members // BLOCK)]
    populations, *others, chosen = zip(*parts, strict=True)
    joined = [_joined(part) for part in others]
    people, lives = (join([getattr(b, name) for b in populations]) for name in ("people", "lives"))
    return Drawn(frame, list(populations), people, lives, *joined, list(chosen))


def _draw_block(frame: Frame, block: int):
    draw = partial(stream, frame.seed, block=block)
    made = draw_population(frame, BLOCK, draw)
    sessions = draw_sessions(frame, made, draw("sessions"))
    events = draw_events(frame, made, sessions, draw("events"))
    messages = draw_messages(frame, made, draw("messages"))
    chosen = choose(frame, made, sessions)
    costs, spells = make_costs(frame, made, events, chosen), make_spells(frame, made)
    assignments = draw_assignments(frame, made, chosen, draw("assignments"))
    return made, sessions, events, messages, costs, spells, assignments, chosen


def _joined(parts):
    together = join(list(parts))
    block = np.repeat(np.arange(len(parts)), [len(part.member) for part in parts])
    return replace(together, member=together.member + block * BLOCK)


#: The sums of points play no part here.
NO_POINTS = np.zeros((5, 5))


def tallied(drawn: Drawn) -> Tally:
    """Return the sums of a world for the summary of its truth."""
    frame = drawn.frame
    found = (tally(frame, b, [expect(frame, b, e) for e in b.enrolments], NO_POINTS) for b in drawn.blocks)
    return reduce(add, found)


@dataclass(frozen=True)
class Ruler:
    """Comparisons within four standard errors of their own sampling error.

    There are some hundred of them with a fixed seed: a right world would fail in about one seed of a hundred,
    and a fault of eight standard errors is always found.
    """

    sigmas: float = SIGMAS

    def mean(self, values: np.ndarray, expected: float | np.ndarray = 0.0) -> bool:
        """Whether independent values have the mean expected, which may be one of each value's own."""
        gap = np.asarray(values, dtype=float) - expected
        error = gap.std() / np.sqrt(len(gap))
        return bool(abs(gap.mean()) <= self.sigmas * error + 1e-12)

    def share(self, happens: np.ndarray, chance: float | np.ndarray) -> bool:
        """Whether as many things happen as their known chances let expect (exact binomial error)."""
        p = np.broadcast_to(chance, happens.shape).astype(float)
        error = np.sqrt((p * (1 - p)).sum())
        return bool(abs(happens.sum() - p.sum()) <= self.sigmas * error + 1e-9)

    def shares(self, codes: np.ndarray, expected) -> bool:
        """Whether every code has its share."""
        return all(self.share(codes == code, float(p)) for code, p in enumerate(expected))

    def count(self, number: int, expected: float) -> bool:
        """Whether a Poisson number is as expected."""
        return bool(abs(number - expected) <= self.sigmas * np.sqrt(expected) + 1e-9)


@pytest.fixture(scope="session")
def ruler() -> Ruler:
    return Ruler()


@pytest.fixture(scope="session")
def draw() -> Callable[..., Drawn]:
    """Return a function that draws whole blocks of a world: ``draw(blocks, seed=..., world=...)``."""
    return lambda blocks, **asked: draw_blocks(frame_of(blocks * BLOCK, **asked))


@pytest.fixture(scope="session")
def make_frame() -> Callable[..., Frame]:
    return frame_of


@pytest.fixture(scope="session")
def drawn() -> Drawn:
    """61,440 members as arrays: sampling errors are a fifth of a percentage point and less."""
    return draw_blocks(frame_of(15 * BLOCK, seed=7))


@pytest.fixture(scope="session")
def world() -> World:
    """6,000 members as tables: one whole block and a part of one."""
    return make_world(members=6_000, seed=3, as_of=AS_OF)


@pytest.fixture(scope="session")
def summary(drawn) -> dict:
    """The truth of `drawn`, as truth.json would hold it."""
    return summarise(drawn.frame, tallied(drawn))


@pytest.fixture(scope="session")
def courses(drawn) -> Course:
    """Courses of the first five blocks of `drawn`: 20,480 members by day."""
    return join([block.course for block in drawn.blocks[:5]])
