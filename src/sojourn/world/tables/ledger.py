"""Table `ledger`: points that members earn, redeem, lose and are given.

Points follow from what members do and act on nothing. Whatever leaves a balance leaves its oldest points
first, so one number per member, the points used so far, says which points are left. A balance is never below
0: taking back takes what is there. What falls due while a member is away, and the platform knows it, waits
for the return; of members who left without a word the platform lets points expire as if they were there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sojourn.world.arrays import Bools, Floats, Ints, join, take
from sojourn.world.clock import DAY, HOUR
from sojourn.world.members.enrolment import by_segment
from sojourn.world.members.population import Population
from sojourn.world.parameters import EVENTS, FEATURES, Frame
from sojourn.world.tables.arrow import instants, table, words
from sojourn.world.tables.events import PLACES, Events, ordered
from sojourn.world.tables.sessions import is_there

#: Movements as (kind, reason), in the order in which those of one member in one second are listed.
MOVEMENTS: tuple[tuple[str, str], ...] = (
    ("expire", "age"), ("adjust", "refund"), ("adjust", "cheating"), ("redeem", "discount"),
    ("earn", "purchase"), ("earn", "task"), ("adjust", "goodwill"),
)  # fmt: skip
EXPIRED, REFUNDED, CAUGHT, REDEEMED, BOUGHT, TASK, GOODWILL = range(len(MOVEMENTS))
#: Movements that count for a tier: earned, and taken back.
_COUNTING = np.isin(np.arange(len(MOVEMENTS)), [REFUNDED, CAUGHT, BOUGHT, TASK])
#: More points than any member has.
_ALL = 1 << 40


@dataclass(frozen=True, slots=True)
class Traits:
    """What is hidden of members and their points; arrays of one entry per member.

    Attributes
    ----------
    forgets, cheats, found : array of bool
        Whether the member never redeems, claims points for tasks not done, and would be found out.
    begins, found_at : array of int
        Instants of the first claim at the earliest, and of being found out.
    """

    forgets: Bools
    cheats: Bools
    found: Bools
    begins: Ints
    found_at: Ints


@dataclass(frozen=True, slots=True)
class Moves:
    """Movements of points that are asked for; rows in any order.

    Attributes
    ----------
    member, at, what : array of int
        Number of the member within the block, instant, code of `MOVEMENTS`.
    gain : array of int
        Points that come in; 0 for those that go out.
    most : array of int
        Most points that go out.
    reach : array of int
        They come from the first so many that the member has gained.
    """

    member: Ints
    at: Ints
    what: Ints
    gain: Ints
    most: Ints
    reach: Ints


@dataclass(frozen=True, slots=True)
class Ledger:
    """Movements of points of one block, ordered by member and instant.

    Attributes
    ----------
    member, at, what : array of int
        Number of the member within the block, instant, code of `MOVEMENTS`.
    points : array of int
        Points that come in, negative where they go out; never 0.
    tier : array of int
        Code of the tier after the movement.
    """

    member: Ints
    at: Ints
    what: Ints
    points: Ints
    tier: Ints


def draw_traits(frame: Frame, block: Population, rng: np.random.Generator) -> Traits:
    """Draw who never redeems, who cheats, from when, and who would be found out."""
    points, n = frame.parameters.points, len(block)
    cheating = points.cheating
    wait = np.ceil(cheating.after_days * DAY * rng.standard_exponential(n)).astype(np.int64)
    begins = np.maximum(block.people.joined, frame.start) + wait
    after = rng.integers(cheating.found_days[0] * DAY, cheating.found_days[1] * DAY, endpoint=True, size=n)
    return Traits(
        forgets=rng.random(n) < points.forgets,
        cheats=rng.random(n) < cheating.share,
        found=rng.random(n) < cheating.found,
        begins=begins,
        found_at=begins + cheating.days * DAY + after,
    )


def draw_moves(
    frame: Frame, block: Population, events: Events, traits: Traits, rng: np.random.Generator
) -> Moves:
    """Draw what is asked for, with a redemption at every purchase: only gifts and claims are random."""
    bought = _bought(frame, events)
    claims = _claims(frame, block, traits, rng)
    gains = join([bought, _tasks(frame, events), claims, _gifts(frame, block, events, rng)])
    takes = [
        _refunds(frame, events, bought),
        _caught(frame, block, traits, claims),
        _redemptions(events),
    ]
    gains = _in_order(gains)
    return _in_order(join([_due(frame, block, gains), *takes, gains]))


def draw_ledger(
    frame: Frame, block: Population, moves: Moves, traits: Traits, rng: np.random.Generator
) -> Ledger:
    """Draw at which purchases members would redeem, and return what becomes of all movements."""
    chance = np.where(traits.forgets, 0.0, redeem_chance(frame, block))
    lots = rng.random(len(moves.at))
    redeems = lots < chance[moves.member]
    return settle(frame, take(moves, redeems | (moves.what != REDEEMED)))


def settle(frame: Frame, moves: Moves) -> Ledger:
    """Return what becomes of movements that are asked for, in order; those of no points are left out."""
    points = moves.gain - _used(moves, frame.parameters.points.threshold)
    moved = np.flatnonzero(points)
    member, at, what, points = moves.member[moved], moves.at[moved], moves.what[moved], points[moved]
    tier = _tiers(frame, member, at, np.where(_COUNTING[what], points, 0))
    return Ledger(member, at, what, points, tier)


def _in_order(moves: Moves) -> Moves:
    """Return movements by member, instant and code; equal ones as they were."""
    return take(moves, np.argsort(_place(moves.member, moves.at) << 4 | moves.what, kind="stable"))


def _place(member: Ints, at: Ints) -> Ints:
    return member << 32 | at


def gained(moves: Moves) -> Ints:
    """Return the points each member has gained so far, this movement included."""
    total = np.cumsum(moves.gain)
    first = np.searchsorted(moves.member, moves.member)
    return np.asarray(total - total[first] + moves.gain[first])


def steps(member: Ints) -> Iterator[Ints]:
    """Yield, for k = 0, 1 ..., the k-th row of every member that has one; `member` is sorted.

    Members come in the same order in every step, so those of a step are the first of the step before.
    """
    _, first, count = np.unique(member, return_index=True, return_counts=True)
    longest = np.argsort(-count, kind="stable")
    first, count = first[longest], count[longest]
    for k in range(count.max(initial=0)):
        yield first[: np.searchsorted(-count, -k)] + k


def _used(moves: Moves, threshold: int) -> Ints:
    """Return the points that go out with each movement.

    With U points used so far, oldest first, an earning that made the points gained reach g has ``g - U`` left
    when its end comes (none if that is negative), as all older ones are used up or have expired by then.
    """
    used = np.zeros(len(moves.at), dtype=np.int64)
    out = np.flatnonzero(moves.gain == 0)
    need = np.where(moves.what[out] == REDEEMED, threshold, 0)
    so_far, most = gained(moves)[out], moves.most[out]
    reach = np.minimum(so_far, moves.reach[out])
    before = np.zeros(len(out), dtype=np.int64)
    for rows in steps(moves.member[out]):
        gone = before[: len(rows)]
        going = np.minimum(most[rows], np.maximum(reach[rows] - gone, 0))
        going[so_far[rows] - gone < need[rows]] = 0
        gone += going
        used[out[rows]] = going
    return used


def _tiers(frame: Frame, member: Ints, at: Ints, counting: Ints) -> Ints:
    """Return the tier after each movement, by what counts within the last `tier_days` days."""
    points = frame.parameters.points
    total = np.concatenate([[0], np.cumsum(counting)])
    place = _place(member, at)
    earlier = np.searchsorted(place, place - points.tier_days * DAY, side="right")
    least = np.array([least for _, least in points.tiers[1:]])
    tier: Ints = np.searchsorted(least, total[1:] - total[earlier], side="right")
    return tier


def _moves(
    what: int,
    member: Ints,
    at: Ints,
    *,
    gain: Ints | int = 0,
    most: Ints | int = _ALL,
    reach: Ints | int = _ALL,
) -> Moves:
    codes, gains, mosts, reaches = (np.broadcast_to(v, member.shape) for v in (what, gain, most, reach))
    return Moves(member, at, codes, gains, mosts, reaches)


def _points_of(frame: Frame, cents: Ints) -> Ints:
    """Return the points that a purchase earns."""
    return np.asarray(cents * frame.parameters.points.per_euro // 100)


def _bought(frame: Frame, events: Events) -> Moves:
    gain = _points_of(frame, events.cents)
    rows = events.of("purchase")
    rows = rows[gain[rows] > 0]
    return _moves(BOUGHT, events.member[rows], events.at[rows], gain=gain[rows])


def _tasks(frame: Frame, events: Events) -> Moves:
    rows = events.of("task")
    return _moves(TASK, events.member[rows], events.at[rows], gain=frame.parameters.points.per_task)


def _claims(frame: Frame, block: Population, traits: Traits, rng: np.random.Generator) -> Moves:
    """Claims of cheating members: any time of the day, no event beside them, all in the first stay."""
    cheating = frame.parameters.points.cheating
    member = np.repeat(np.flatnonzero(traits.cheats), cheating.days * cheating.tasks)
    at = traits.begins[member] + rng.integers(cheating.days * DAY, size=len(member))
    seen = is_there(frame, block, member, at, np.zeros(len(member), dtype=bool))
    return _moves(TASK, member[seen], at[seen], gain=frame.parameters.points.per_task)


def _gifts(frame: Frame, block: Population, events: Events, rng: np.random.Generator) -> Moves:
    points = frame.parameters.points
    rows = events.of("support")
    rows = rows[rng.random(len(rows)) < points.goodwill]
    at = events.at[rows] + rng.integers(1, points.goodwill_hours * HOUR, endpoint=True, size=len(rows))
    there = is_there(frame, block, events.member[rows], at, events.back[rows])
    return _moves(GOODWILL, events.member[rows][there], at[there], gain=points.goodwill_points)


def _refunds(frame: Frame, events: Events, bought: Moves) -> Moves:
    """Points taken back for refunds of purchases that have earned some: seen, that is."""
    most = _points_of(frame, -events.cents)
    rows = events.of("purchase")
    rows = rows[most[rows] > 0]
    place, earned = _place(events.member[rows], events.at[rows]), _place(bought.member, bought.at)
    delays = frame.parameters.activity.refund_days
    rows = rows[np.any([np.isin(place - delay * DAY, earned) for delay in delays], axis=0)]
    return _moves(REFUNDED, events.member[rows], events.at[rows], most=most[rows])


def _caught(frame: Frame, block: Population, traits: Traits, claims: Moves) -> Moves:
    claimed = np.bincount(claims.member, weights=claims.gain, minlength=len(block)).astype(np.int64)
    member = np.flatnonzero(traits.found & (claimed > 0))
    at = _when_open(frame, block, member, traits.found_at[member])
    known = at < frame.as_of
    return _moves(CAUGHT, member[known], at[known], most=claimed[member[known]])


def _redemptions(events: Events) -> Moves:
    rows = events.of("purchase")
    rows = rows[events.cents[rows] > 0]
    return _moves(REDEEMED, events.member[rows], events.at[rows])


def redeem_chance(frame: Frame, block: Population) -> Floats:
    """Return the probability of redeeming at a purchase with enough points, of members who do not forget."""
    parameters = frame.parameters
    return np.asarray(by_segment(parameters.points.redeems, parameters)[block.people.segment])


def _due(frame: Frame, block: Population, gains: Moves) -> Moves:
    """Ends of all that was gained, which come in the order in which it was."""
    at = _when_open(frame, block, gains.member, gains.at + frame.parameters.points.expires_days * DAY)
    known = at < frame.as_of
    return _moves(EXPIRED, gains.member[known], at[known], reach=gained(gains)[known])


def _when_open(frame: Frame, block: Population, member: Ints, at: Ints) -> Ints:
    """Return when the platform books what is due: at once while it takes the member for one, or on return.

    What it never books gets `as_of`.
    """
    lives = block.lives
    left, returned, again = (at_[member] for at_ in (lives.left, lives.returned, lives.left_again))
    away = lives.announced[member] & (at >= left)
    booked = np.where(away, np.maximum(at, returned), at)
    never = away & (booked >= again) | (booked >= frame.as_of)
    return np.where(never, frame.as_of, booked).astype(np.int64)


def with_redemptions(events: Events, ledger: Ledger) -> Events:
    """Return events with one more for each redemption, at the instant of the purchase it belongs to."""
    redeemed = np.flatnonzero(ledger.what == REDEEMED)
    bought = events.of("purchase")
    place = _place(events.member[bought], events.at[bought])
    rows = bought[np.searchsorted(place, _place(ledger.member[redeemed], ledger.at[redeemed]))]
    none = np.zeros(len(rows), dtype=np.int64)
    beside = Events(
        events.member[rows], events.at[rows], none + EVENTS.index("redeem"),
        none + FEATURES.index(PLACES["redeem"]), none, none - 1, none - 1, events.day[rows],
        events.back[rows],
    )  # fmt: skip
    return ordered(join([events, beside]))


def traits_rows(traits: Traits) -> dict[str, Any]:
    """Return what the truth says of each member's points: columns of `Truth.members`."""
    return {"forgets": traits.forgets, "cheats": traits.cheats}


def ledger_table(frame: Frame, ledger: Ledger, ids: Any) -> Any:
    """Return table `ledger` of a block."""
    kinds, reasons = zip(*MOVEMENTS, strict=True)
    return table("ledger", [
        ids.take(pa.array(ledger.member)),
        instants(ledger.at),
        words(kinds, ledger.what),
        pa.array(ledger.points),
        words(reasons, ledger.what),
        words([name for name, _ in frame.parameters.points.tiers], ledger.tier),
    ])  # fmt: skip
