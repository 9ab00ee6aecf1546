"""Points: how members earn and use them, and how some cheat."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Cheating:
    """Members who claim points for tasks they have not done.

    Attributes
    ----------
    share : float
        Share of members who do, by a lot of their own.
    after_days : float
        Mean days until they begin, exponentially distributed, from joining or the begin of observation.
    days : int
        How long they go on, unless they leave.
    tasks : int
        Claims a day.
    found : float
        Share who are found out: what they have left of the claimed points is taken back.
    found_days : tuple of int
        Days from the last claim to that, shortest and longest, equally likely between.
    """

    share: float = 0.006
    after_days: float = 30.0
    days: int = 10
    tasks: int = 20
    found: float = 0.7
    found_days: tuple[int, int] = (14, 42)


@dataclass(frozen=True, slots=True)
class Points:
    """The points scheme. Points act on nothing: who has many leaves, comes and buys as without them.

    Attributes
    ----------
    per_euro, per_task : int
        Points earned per unit of money paid (rounded down for each purchase), and per task.
    expires_days : int
        Days after which what is left of an earning expires; the oldest points are used first.
    threshold : int
        Points that must be there for a member to redeem.
    redeems : tuple of float
        Probability of redeeming all points at a purchase before which the threshold is reached, by hidden
        segment.
    forgets : float
        Share of members who never redeem, by a lot of their own.
    goodwill : float
        Probability that a request for help is followed by a gift of points.
    goodwill_points, goodwill_hours : int
        How many, and at most how many hours later.
    tiers : tuple of (name, at least)
        Tiers by points earned in the last `tier_days` days, less those taken back; ascending from 0.
    tier_days : int
        See `tiers`.
    cheating : Cheating
        See its class.
    """

    per_euro: int = 10
    per_task: int = 40
    expires_days: int = 180
    threshold: int = 400
    redeems: tuple[float, ...] = (0.45, 0.20, 0.70, 0.30, 0.15)
    forgets: float = 0.25
    goodwill: float = 0.2
    goodwill_points: int = 200
    goodwill_hours: int = 48
    tiers: tuple[tuple[str, int], ...] = (("basic", 0), ("silver", 800), ("gold", 2_500))
    tier_days: int = 365
    cheating: Cheating = field(default_factory=Cheating)
