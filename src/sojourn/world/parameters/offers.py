"""What is on offer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offers:
    """Items, and how members come to them.

    Attributes
    ----------
    items, creators : int
        How many there are; a few creators make most of the items.
    from_start : float
        Share of items that are on offer from the beginning.
    categories : tuple of str
        Kinds of items.
    tastes : tuple of tuple of float
        Weights of the categories (columns) for each hidden segment (rows).
    prices : tuple of int
        List prices in hundredths, equally likely.
    popularity : float
        Power of an item's random rank by which its weight falls.
    quality_effect : float
        Logarithm of the factor on the weight per unit of quality.
    """

    items: int = 2_000
    creators: int = 150
    from_start: float = 0.5
    categories: tuple[str, ...] = ("music", "cooking", "sport", "travel", "language", "crafts")
    tastes: tuple[tuple[float, ...], ...] = (
        (3.0, 2.0, 1.0, 1.0, 1.0, 1.0),
        (1.0, 1.0, 1.0, 2.0, 3.0, 1.0),
        (1.0, 2.0, 1.0, 1.0, 1.0, 3.0),
        (2.0, 1.0, 3.0, 1.0, 1.0, 1.0),
        (1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    )
    prices: tuple[int, ...] = (499, 999, 1499, 1999, 2999, 4999)
    popularity: float = 0.8
    quality_effect: float = 0.4
