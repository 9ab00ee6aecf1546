"""Sums over members of what is expected of them, from which the summary of the truth is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sojourn.world.arrays import Floats, Ints
from sojourn.world.clock import DAY
from sojourn.world.members.hazards import cumulative, integral_at
from sojourn.world.members.population import LEAST_DAYS, Population
from sojourn.world.parameters import AGE_BANDS, Frame
from sojourn.world.tables.responses import expected_recommend
from sojourn.world.truth.expectations import Expected


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over members, which add over blocks.

    Attributes
    ----------
    members : int
        Members.
    curves : mapping of group to array (levels, 3, days)
        By day since joining: weight x survival, members at risk x survival, members at risk x leaving.
        ``weight`` is 1 over the probability of having stayed until observation began.
    assigned : mapping of trial to array (schemes,)
        Members who were given each scheme.
    expected : mapping of trial to array (schemes, segments, 6)
        Members, and sums of `QUANTITIES`.
    recommend : array (questions, 2, 3)
        As `sojourn.world.tables.responses.expected_recommend` returns it.
    points : array (segments, 5)
        As `sojourn.world.truth.breakage.expected_points` returns it.
    """

    members: int
    curves: Mapping[str, Floats]
    assigned: Mapping[str, Ints]
    expected: Mapping[str, Floats]
    recommend: Floats
    points: Floats

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.members + other.members,
            {name: sums + other.curves[name] for name, sums in self.curves.items()},
            {name: counts + other.assigned[name] for name, counts in self.assigned.items()},
            {name: sums + other.expected[name] for name, sums in self.expected.items()},
            self.recommend + other.recommend,
            self.points + other.points,
        )


def levels(frame: Frame) -> dict[str, list[str]]:
    """Return the groupings known at joining, with their levels in the order of their codes; and segments."""
    parameters = frame.parameters
    return {
        "channel": [c.name for c in parameters.channels],
        "plan": [p.name for p in parameters.plans],
        "region": [region.name for region in parameters.joining.regions],
        "age_band": list(AGE_BANDS),
        "segment": [s.name for s in parameters.segments],
    }


def tally(frame: Frame, block: Population, expected: Sequence[Expected], points: Floats) -> Tally:
    """Sum up the members of a block.

    Parameters
    ----------
    frame, block
        The world and the block.
    expected : sequence of Expected
        What is expected in each trial, in their order.
    points : array (segments, 5)
        As `sojourn.world.truth.breakage.expected_points` returns it.
    """
    segments = len(frame.parameters.segments)
    assigned, sums = {}, {}
    for enrolment, found in zip(block.enrolments, expected, strict=True):
        name, schemes = enrolment.trial.name, len(enrolment.trial.schemes)
        assigned[name] = np.bincount(enrolment.scheme[found.rows], minlength=schemes)
        n = np.bincount(block.people.segment[found.rows], minlength=segments)
        sums[name] = np.concatenate([np.broadcast_to(n[:, None], (schemes, segments, 1)), found.sums], axis=2)
    recommend = expected_recommend(frame, block)
    return Tally(len(block), _curves(frame, block), assigned, sums, recommend, points)


def _curves(frame: Frame, block: Population) -> dict[str, Floats]:
    """Return the sums of `Tally.curves` of one block, by group and level."""
    codes = {name: getattr(block.people, name) for name in levels(frame)}
    shape = tuple(len(names) for names in levels(frame).values())
    cell = np.ravel_multi_index(tuple(codes.values()), shape)
    order = np.argsort(cell, kind="stable")
    filled, first = np.unique(cell[order], return_index=True)
    sums = np.zeros((int(np.prod(shape)), 3, LEAST_DAYS))
    for i, rows in enumerate(_by_day(frame, block)):
        sums[filled, i, : rows.shape[1]] = np.add.reduceat(rows[order], first, axis=0)
    whole = sums.reshape(*shape, 3, LEAST_DAYS)
    axes = range(len(shape))
    return {
        name: whole.sum(axis=tuple(other for other in axes if other != axis))
        for axis, name in enumerate(codes)
    }


def _by_day(frame: Frame, block: Population) -> tuple[Floats, Floats, Floats]:
    """Return what `Tally.curves` sums up, by member and day since joining."""
    total = cumulative(block.hazard)
    weight = np.exp(integral_at(total, block.entry))[:, None]
    survival = weight * np.exp(-total[:, :LEAST_DAYS])
    day = np.arange(LEAST_DAYS - 1)
    followed = ((frame.as_of - block.people.joined) // DAY)[:, None]
    known = np.where(day < followed, 1.0, np.where(day == followed, 0.5, 0.0))
    at_risk = known * (day >= np.ceil(block.entry)[:, None])
    return survival, at_risk * survival[:, :-1], at_risk * -np.diff(survival, axis=1)
