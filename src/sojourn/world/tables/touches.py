"""Table `touches`: advertisements that people meet before they join, or do not.

Which media a person gets to see and whether the person joins has a finite number of outcomes, whose
probabilities are all written down (`Law`). Touches of members are drawn from the law of those who join, and
touches of the others from the law of those who do not: nothing is drawn and thrown away.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import comb
from typing import Any

import numpy as np
import pyarrow as pa

from sojourn.core.ranges import in_range
from sojourn.world.arrays import Bools, Floats, Ints, take
from sojourn.world.clock import DAY
from sojourn.world.members.people import draw_codes
from sojourn.world.members.population import Population
from sojourn.world.parameters import Advertising, Frame
from sojourn.world.tables.arrow import instants, money, table, words

#: What a medium may be to a person.
NO_CHANCE, SHOWN, HELD_OUT = range(3)
#: Numbers of people set aside for each block, so that ids of blocks do not meet.
ROOM = 65_536


@dataclass(frozen=True, slots=True)
class Law:
    """All outcomes there are for a person before the decision.

    Attributes
    ----------
    intent : array (outcomes,) of float
        Level of intent, of mean 0 and variance 1 over people.
    seen : array (outcomes, media) of int
        `NO_CHANCE`, `SHOWN` or `HELD_OUT`.
    share : array (outcomes,) of float
        Probability; sums to 1.
    joins : array (outcomes,) of float
        Probability of joining.
    """

    intent: Floats
    seen: Ints
    share: Floats
    joins: Floats


@lru_cache(maxsize=8)
def law(advertising: Advertising) -> Law:
    """Return the law of people, media and joining.

    Raises
    ------
    ParameterError
        When some probability of joining would be above 1, or hardly anybody joins.
    """
    in_range(advertising.joins, "joins", ge=0.1, lt=1)
    levels, chances = intents(advertising.levels)
    media = np.array(list(product(range(3), repeat=len(advertising.media))))
    level = np.repeat(np.arange(len(levels)), len(media))
    seen = np.tile(media, (len(levels), 1))
    share = chances[level] * _chances(advertising, levels[level], seen)
    effects = np.array([medium.effect for medium in advertising.media])
    pull = np.exp(advertising.intent_effect * levels[level] + (seen == SHOWN) @ effects)
    joins = advertising.joins * pull / (share @ pull)
    in_range(float(joins.max()), "the highest probability of joining", le=1)
    return Law(levels[level], seen, share, joins)


def intents(levels: int) -> tuple[Floats, Floats]:
    """Return the levels of intent and their shares: a standardised binomial number of probability 1/2."""
    tries = levels - 1
    shares = np.array([comb(tries, k) for k in range(levels)]) / 2**tries
    return (np.arange(levels) - tries / 2) / np.sqrt(tries / 4), shares


def reach(advertising: Advertising, intent: Floats) -> Floats:
    """Return the probability of a chance to see each medium (columns), by intent (rows)."""
    odds = np.array([m.reach / (1 - m.reach) for m in advertising.media])
    odds = odds * np.exp(np.outer(intent, [m.follows for m in advertising.media]))
    return np.asarray(odds / (1 + odds))


def _chances(advertising: Advertising, intent: Floats, seen: Ints) -> Floats:
    """Return the probability of what is seen, given intent: media and lots are independent."""
    chance, held = reach(advertising, intent), advertising.held_out
    each = np.where(seen == NO_CHANCE, 1 - chance, chance * np.where(seen == SHOWN, 1 - held, held))
    return np.asarray(each.prod(axis=1))


def advertising_truth(advertising: Advertising) -> list[dict[str, Any]]:
    """Return what each medium does, in closed form; costs are per person who decides.

    ``ratio`` is joining if shown over joining if held out. ``naive_ratio`` is what people with any touch
    show: joining of those who were shown the medium over joining of the others. ``joiners`` are those who
    would be missing without the medium, a thousand people; ``cost_per_joiner`` is none where there are none.
    """
    found, rows = law(advertising), []
    visible = (found.seen != NO_CHANCE).any(axis=1)
    for code, medium in enumerate(advertising.media):
        shown = found.seen[:, code] == SHOWN
        weight, joins = found.share, found.share * found.joins
        brought = float(joins[shown].sum() * -np.expm1(-medium.effect))
        spent = float(weight[shown].sum() * (1 + medium.more) * medium.cost)
        met, not_met = (joins[rows_].sum() / weight[rows_].sum() for rows_ in (shown, visible & ~shown))
        rows.append(
            {
                "medium": medium.name,
                "shown": float(weight[shown].sum()),
                "ratio": float(np.exp(medium.effect)),
                "naive_ratio": float(met / not_met),
                "joiners": 1000 * brought,
                "cost": 1000 * spent,
                "cost_per_joiner": spent / brought if brought > 0 else None,
            }
        )
    return rows


@dataclass(frozen=True, slots=True)
class People:
    """People of one block before they join or do not; arrays of one entry per person.

    Attributes
    ----------
    member : array of int
        Number of the member within the block, -1 for who did not join.
    decided : array of int
        Instant of the decision; that of joining for members.
    outcome : array of int
        Number in `Law`.
    """

    member: Ints
    decided: Ints
    outcome: Ints


@dataclass(frozen=True, slots=True)
class Touches:
    """Touches of one block, ordered by person, instant and medium.

    Attributes
    ----------
    person : array of int
        Number of the person within the block, by lot.
    member : array of int
        Number of the member within the block, -1 for none.
    at, medium, campaign : array of int
        Instant, codes.
    shown : array of bool
        Whether it was shown.
    """

    person: Ints
    member: Ints
    at: Ints
    medium: Ints
    campaign: Ints
    shown: Bools


def draw_prospects(frame: Frame, joined: Ints, rng: np.random.Generator) -> People:
    """Draw the people of a block: its members who joined in the time observed, and those who did not join.

    So many others are drawn as come by until all those members have joined, and they decide when members do.
    Their order is by lot.
    """
    advertising = frame.parameters.advertising
    rules = law(advertising)
    member = np.flatnonzero((joined >= frame.start) & (joined < frame.as_of))
    others = int(rng.negative_binomial(len(member), advertising.joins)) if len(member) else 0
    instead = member[rng.integers(len(member), size=others)] if others else member[:0]
    people = People(
        np.append(member, np.full(others, -1)),
        joined[np.append(member, instead)],
        np.append(
            draw_codes(rules.share * rules.joins, len(member), rng),
            draw_codes(rules.share * (1 - rules.joins), others, rng),
        ),
    )
    return take(people, rng.permutation(len(people.member)))


def draw_touches(frame: Frame, block: Population, rng: np.random.Generator) -> Touches:
    """Draw the touches of a block that are seen: before joining, and in the time observed."""
    people = draw_prospects(frame, block.people.joined, rng)
    return touches_of(frame, people, rng)


def touches_of(frame: Frame, people: People, rng: np.random.Generator) -> Touches:
    """Draw when people meet each medium that they have the chance to see."""
    advertising = frame.parameters.advertising
    seen = law(advertising).seen[people.outcome]
    person, medium = np.nonzero(seen != NO_CHANCE)
    number = 1 + rng.poisson(np.array([m.more for m in advertising.media])[medium])
    person, medium = np.repeat(person, number), np.repeat(medium, number)
    at = people.decided[person] - _ahead(advertising, medium, rng)
    campaign = rng.integers(len(advertising.campaigns), size=len(at))
    order = np.lexsort((medium, at, person))
    order = order[at[order] >= frame.start]
    touches = Touches(
        person, people.member[person], at, medium, campaign, seen[person, medium] == SHOWN
    )  # fmt: skip
    return take(touches, order)


def _ahead(advertising: Advertising, medium: Ints, rng: np.random.Generator) -> Ints:
    """Draw seconds from touches to the decision: exponential, cut at the span by inversion."""
    mean = np.array([m.days for m in advertising.media])[medium]
    within = -np.expm1(-advertising.span_days / mean)
    days = -mean * np.log1p(-rng.random(len(mean)) * within)
    return np.maximum(np.ceil(days * DAY), 1).astype(np.int64)


def touches_table(frame: Frame, touches: Touches, block: int, ids: Any) -> Any:
    """Return table `touches` of a block."""
    advertising = frame.parameters.advertising
    cents = np.array([round(m.cost * 100) for m in advertising.media])[touches.medium]
    return table("touches", [
        _prospect_ids(block, touches.person),
        ids.take(pa.array(touches.member, mask=touches.member < 0)),
        instants(touches.at),
        words([m.name for m in advertising.media], touches.medium),
        words(advertising.campaigns, touches.campaign),
        pa.array(touches.shown),
        money(np.where(touches.shown, cents, 0)),
    ])  # fmt: skip


def _prospect_ids(block: int, person: Ints) -> Any:
    """Return ids of people, for example ``P000065537``."""
    distinct, code = np.unique(person, return_inverse=True)
    return pa.array(np.char.mod("P%09d", block * ROOM + distinct), pa.string()).take(pa.array(code))
