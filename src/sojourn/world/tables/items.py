"""Table `items`: what is on offer, and which item a member turns to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sojourn.world.arrays import Floats, Ints
from sojourn.world.clock import DAY
from sojourn.world.parameters import Frame
from sojourn.world.randomness import stream


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All items of a world; arrays of one entry per item, in the order of publication.

    Attributes
    ----------
    published : array of int
        Instants.
    category, creator : array of int
        Codes.
    cents : array of int
        List price in hundredths.
    quality : array of float
        Hidden: standard normal.
    edges : array (segments, items) of float
        Hidden: cumulative weights by which the members of a segment turn to items.
    """

    published: Ints
    category: Ints
    creator: Ints
    cents: Ints
    quality: Floats
    edges: Floats


@lru_cache(maxsize=4)
def catalogue(frame: Frame) -> Catalogue:
    """Return the items of a world: it depends on its seed, times and parameters, not on its members.

    A weight is ``exp(quality_effect x quality) x popularity x taste``, where popularity follows a power of
    the item's random rank (Zipf) and taste is the segment's for the item's category.
    """
    offers = frame.parameters.offers
    rng = stream(frame.seed, "items", 0)
    n = offers.items
    first = frame.start - frame.parameters.joining.before_days * DAY
    published = np.sort(rng.integers(first, frame.as_of, size=n))
    published[: max(int(n * offers.from_start), 1)] = first
    category = rng.integers(len(offers.categories), size=n)
    quality = rng.standard_normal(n)
    rank = rng.permutation(n) + 1.0
    weight = np.exp(offers.quality_effect * quality) * rank**-offers.popularity
    taste = np.array(offers.tastes)[:, category]
    cents = np.array(offers.prices)[rng.integers(len(offers.prices), size=n)]
    creator = (offers.creators * rng.random(n) ** 2).astype(np.int64)
    return Catalogue(published, category, creator, cents, quality, np.cumsum(weight * taste, axis=1))


def draw_items(frame: Frame, segment: Ints, at: Ints, rng: np.random.Generator) -> Ints:
    """Draw an item for each event from those published by then, by the taste of the member's segment."""
    items = catalogue(frame)
    on_offer = np.searchsorted(items.published, at, side="right")
    drawn, found = rng.random(len(at)), np.empty(len(at), dtype=np.int64)
    for code, edges in enumerate(items.edges):
        rows = np.flatnonzero(segment == code)
        found[rows] = np.searchsorted(edges, drawn[rows] * edges[on_offer[rows] - 1], side="right")
    return np.minimum(found, on_offer - 1)
