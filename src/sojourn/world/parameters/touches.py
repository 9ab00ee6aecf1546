"""Advertising that people meet before they join, or do not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Advert:
    """One medium of advertising.

    Attributes
    ----------
    name : str
        Name in `touches`.
    reach : float
        Probability that a person of intent 0 gets the chance to see it (0-1, both excluded).
    follows : float
        Log-odds of that chance per unit of intent: how far the medium seeks out who would join anyway.
    effect : float
        Logarithm of the factor on the probability of joining when it is shown.
    more : float
        Mean number of touches beyond the first.
    cost : float
        Money spent on each touch that is shown.
    days : float
        Mean days from a touch to the decision, exponentially distributed within `Advertising.span_days`.
    """

    name: str
    reach: float
    follows: float
    effect: float
    more: float
    cost: float
    days: float


@dataclass(frozen=True, slots=True)
class Advertising:
    """Advertising before joining, with a hold-out by lot in each medium.

    People intend to join more or less: intent is a standardised binomial number on `levels` levels. They
    decide once. The probability of joining is ``base exp(intent_effect z) exp(sum of effects shown)``, at
    most 1, where ``base`` makes it `joins` on average. Intent has nothing to do with what becomes of members.

    Attributes
    ----------
    media : tuple of Advert
        Where advertisements are met.
    joins : float
        Share of people who join (0.1 to 1, 1 excluded).
    intent_effect : float
        Logarithm of the factor on the probability of joining per unit of intent.
    levels : int
        Levels of intent, at least 2.
    held_out : float
        Share of people held out of each medium by lot: the chance is logged, nothing is shown or paid.
    span_days : int
        Touches lie in so many days before the decision.
    campaigns : tuple of str
        What touches belong to, by lot and without any effect.
    """

    media: tuple[Advert, ...] = (
        Advert("search", 0.30, 0.8, 0.25, more=0.5, cost=0.60, days=4.0),
        Advert("display", 0.40, 0.2, 0.10, more=1.0, cost=0.02, days=12.0),
        Advert("video", 0.25, 0.1, 0.20, more=0.5, cost=0.08, days=14.0),
        Advert("influencer", 0.12, 0.3, 0.15, more=0.3, cost=0.90, days=15.0),
        Advert("retargeting", 0.20, 1.6, 0.0, more=1.0, cost=0.05, days=2.0),
    )
    joins: float = 0.25
    intent_effect: float = 0.4
    levels: int = 5
    held_out: float = 0.15
    span_days: int = 28
    campaigns: tuple[str, ...] = ("brand", "first month free")
