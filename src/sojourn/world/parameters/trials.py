"""Randomised trials of incentive schemes, and a roll-out that is not random."""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.core.ranges import in_range


@dataclass(frozen=True, slots=True)
class Scheme:
    """One incentive scheme. Tuples hold one number per hidden segment, or a single one for all.

    Attributes
    ----------
    name : str
        Name in `assignments`.
    hazard, rebound : tuple of float
        Factors on the hazard while the reward runs, and for `Trial.rebound_days` after it.
    sessions, buys, tasks : tuple of float
        Factors, while the reward runs, on sessions per day and on the probabilities of a purchase and of a
        task per session.
    at_start, per_purchase : tuple of float
        Money spent at assignment, and on each purchase while the reward runs.
    opt_out : float
        Factor on the probability of refusing further messages, while the reward runs.
    lost : float
        Share of its members whose rows of `assignments` are lost: a fault of the sample ratio.
    withdraws : tuple of 2 float
        Share of its members who withdraw consent, among those who are kept and those who leave within the
        horizon: their outcomes are missing.
    """

    name: str
    hazard: tuple[float, ...] = (1.0,)
    rebound: tuple[float, ...] = (1.0,)
    sessions: tuple[float, ...] = (1.0,)
    buys: tuple[float, ...] = (1.0,)
    tasks: tuple[float, ...] = (1.0,)
    at_start: tuple[float, ...] = (0.0,)
    per_purchase: tuple[float, ...] = (0.0,)
    opt_out: float = 1.0
    lost: float = 0.0
    withdraws: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Trial:
    """One randomised trial.

    Attributes
    ----------
    name : str
        Name in `assignments`.
    schemes : tuple of Scheme
        The first is the control.
    trigger : str
        ``joining``: members are assigned on `day` after joining, if still there; ``silence``: on the
        `day`-th of all days on which they are silent.
    day : int
        See `trigger`.
    opens, closes : int
        Members whose assignment falls between these numbers of days before `as_of` take part.
    lane : tuple of 2 float
        Share of members that may take part, from and to; trials whose lanes overlap share members.
    layer : int
        Trials of one layer cut the same members into lanes; other layers cut them independently.
    allocation : tuple of tuple of float
        Shares of the schemes in equally long phases of the window; empty for equal shares throughout.
    by_club : bool
        Whether whole clubs are assigned together.
    ramp_days : int
        Days in which effects grow, in a line of their logarithms, to their full size.
    reward_days, rebound_days : int
        How long the reward runs, and its after-effect.
    horizon_days : int
        Days after assignment at which the trial is judged.
    margin : float
        Share of revenue that is earned.
    spill : float
        Share of the effect on the hazard (in logarithms) that a referrer's scheme has on those whom the
        referrer brought, from their joining on.
    twice : float
        Share of members who are listed in a second scheme too, a day later.
    """

    name: str
    schemes: tuple[Scheme, ...]
    trigger: str = "joining"
    day: int = 7
    opens: int = 473
    closes: int = 98
    lane: tuple[float, float] = (0.0, 1.0)
    layer: int = 0
    allocation: tuple[tuple[float, ...], ...] = ()
    by_club: bool = False
    ramp_days: int = 0
    reward_days: int = 56
    rebound_days: int = 28
    horizon_days: int = 90
    margin: float = 0.3
    spill: float = 0.0
    twice: float = 0.0

    def __post_init__(self) -> None:
        in_range(self.closes, f"closes of trial {self.name}", ge=self.horizon_days)


@dataclass(frozen=True, slots=True)
class Rollout:
    """An offer without any effect, made to the members who came least: regression to the mean, planted.

    Attributes
    ----------
    name, scheme : str
        Names in `assignments`.
    ago : int
        Days before `as_of` on which it is made.
    window_days : int
        Days before it in which sessions are counted.
    share : float
        Share of members there, of those with the fewest sessions, who get it.
    cost : float
        Money spent on each.
    """

    name: str = "challenge"
    scheme: str = "daily_challenge"
    ago: int = 120
    window_days: int = 28
    share: float = 0.3
    cost: float = 0.5
