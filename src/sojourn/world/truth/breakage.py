"""What members' points come to in expectation: how many are redeemed, and how many expire unused."""

from __future__ import annotations

from typing import Any

import numpy as np

from sojourn.world.arrays import Floats, Ints
from sojourn.world.members.population import Population
from sojourn.world.parameters import Frame
from sojourn.world.tables.ledger import (
    CAUGHT,
    EXPIRED,
    REDEEMED,
    REFUNDED,
    Moves,
    gained,
    redeem_chance,
    steps,
)

#: Sums of points by hidden segment: gained, due (their end was booked), and expected to have gone out.
SUMS: tuple[str, ...] = ("gained", "due", "redeemed", "expired", "taken_back")


def expected_points(frame: Frame, block: Population, moves: Moves) -> Floats:
    """Return sums of points of a block, in expectation over the lots that decide on redeeming.

    What members earn, claim, give back and are given is as drawn.

    Parameters
    ----------
    frame, block
        The world and the block.
    moves : Moves
        What is asked for, in order, with a redemption at every purchase.

    Returns
    -------
    array (segments, 5)
        Sums as `SUMS` names them.
    """
    out = expected_out(frame, redeem_chance(frame, block), moves)
    parts = [moves.gain, _due(moves)]
    parts += [np.where(moves.what == code, out, 0.0) for code in (REDEEMED, EXPIRED)]
    parts.append(np.where((moves.what == REFUNDED) | (moves.what == CAUGHT), out, 0.0))
    segment, count = block.people.segment[moves.member], len(frame.parameters.segments)
    return np.stack([np.bincount(segment, part, count) for part in parts], axis=1)


def _due(moves: Moves) -> Ints:
    """Return the points of each earning whose end is booked, in the row of its end."""
    due = np.zeros(len(moves.at), dtype=np.int64)
    ends = np.flatnonzero(moves.what == EXPIRED)
    reach, first = moves.reach[ends], np.diff(moves.member[ends], prepend=-1) != 0
    due[ends] = np.where(first, reach, np.diff(reach, prepend=0))
    return due


def expected_out(frame: Frame, chance: Floats, moves: Moves) -> Floats:
    """Return the expected number of points that go out with each movement.

    Who redeems takes all there is, so what becomes of a member's points depends on the past only by the last
    redemption. Each one that may have been the last has a path of its own from there on without another, with
    its probability; the first path is of members who forget, the second of those who have not redeemed yet.

    Parameters
    ----------
    frame : Frame
        The world.
    chance : array of float
        Probability of redeeming, by member.
    moves : Moves
        As for `expected_points`.
    """
    points = frame.parameters.points
    expected = np.zeros(len(moves.at))
    out = np.flatnonzero(moves.gain == 0)
    asked, so_far = moves.what[out] == REDEEMED, gained(moves)[out].astype(np.float64)
    reach, most = np.minimum(so_far, moves.reach[out]), moves.most[out].astype(np.float64)
    member = moves.member[out]
    shape = (len(np.unique(member)), int(np.bincount(member[asked]).max(initial=0)) + 2)
    used, weight = np.zeros(shape), np.zeros(shape)
    weight[:, :2] = points.forgets, 1 - points.forgets
    paths = np.full(shape[0], 2)
    for rows in steps(member):
        n, width = len(rows), paths[: len(rows)].max()
        left = np.maximum(reach[rows, None] - used[:n, :width], 0)
        going = np.where(asked[rows, None], 0.0, np.minimum(most[rows, None], left))
        expected[out[rows]] = (weight[:n, :width] * going).sum(axis=1)
        used[:n, :width] += going
        at = np.flatnonzero(asked[rows] & (left.max(axis=1) >= points.threshold))
        moved = weight[at, :width] * (left[at] >= points.threshold) * chance[member[rows[at]], None]
        moved[:, 0] = 0.0
        expected[out[rows[at]]] = (moved * left[at]).sum(axis=1)
        weight[at, :width] -= moved
        used[at, paths[at]], weight[at, paths[at]] = so_far[rows[at]], moved.sum(axis=1)
        paths[at] += 1
    return expected


def points_truth(frame: Frame, sums: Floats) -> list[dict[str, Any]]:
    """Return what members' points come to, by hidden segment: in expectation, given what they earned.

    ``breakage`` is the share of the points due that expired unused, ``open`` what members hold at `as_of`.

    Parameters
    ----------
    frame : Frame
        The world.
    sums : array (segments, 5)
        As `expected_points` returns them, added over blocks; none where there are no rows.
    """
    names = ["all", *(segment.name for segment in frame.parameters.segments)]
    parts = [sums.sum(axis=0), *sums]
    found = [(name, dict(zip(SUMS, part, strict=True))) for name, part in zip(names, parts, strict=False)]
    return [
        {
            "segment": name,
            **part,
            "open": part["gained"] - part["redeemed"] - part["expired"] - part["taken_back"],
            "breakage": part["expired"] / part["due"],
        }
        for name, part in found
        if part["due"] > 0
    ]
