"""How members live with the platform: stages, plans, leaving and coming back, service."""

from __future__ import annotations

from dataclasses import dataclass

#: Stages of engagement. Leaving and coming back by contract are not among them: see `Churn`.
STAGES: tuple[str, ...] = ("new", "growing", "active", "silent", "returned")


@dataclass(frozen=True, slots=True)
class Shock:
    """Some days in which all members leave faster and come less.

    Attributes
    ----------
    ago : int
        Days before `as_of` on which it begins.
    days : int
        How long it lasts.
    hazard, sessions : float
        Factors on the hazard of leaving and on sessions.
    """

    ago: int
    days: int
    hazard: float
    sessions: float


@dataclass(frozen=True, slots=True)
class Churn:
    """Hazard of leaving by days since joining: a later level and an early bump; and coming back.

    Attributes
    ----------
    level : float
        Hazard per day long after joining, for a member with all factors 1.
    peak : float
        Hazard at the peak, as a multiple of `level`.
    peak_day : float
        Day of the peak.
    turn_day : int
        Day since joining from which `Plan.later` holds.
    trend : float
        Yearly factor on the hazard by the date of joining (1: all cohorts alike).
    club_spread : float
        Standard deviation of the logarithm of a factor that the members of a club share.
    quiet_days : int
        Days before leaving in which a member is less active.
    quiet : float
        Activity in those days, as a share of the usual (0-1).
    announced : float
        Share of members whose leaving the platform learns; the others fall silent for good.
    involuntary : float
        Share of leavings for an unknown reason that are failed payments.
    returns : float
        Share of leavers who come back, once.
    return_days : float
        Mean days until they do, exponentially distributed.
    again : float
        Hazard per day of leaving again, for a segment with factor 1.
    shocks : tuple of Shock
        Of the calendar.
    price_rise : int
        Days before `as_of` on which prices of spells that begin rise by a tenth and all members, by
        `Segment.price_sensitivity`, leave faster; 0 for never.
    """

    level: float = 0.0026
    peak: float = 2.1
    peak_day: float = 38.0
    turn_day: int = 90
    trend: float = 1.0
    club_spread: float = 0.0
    quiet_days: int = 14
    quiet: float = 0.5
    announced: float = 1.0
    involuntary: float = 0.3
    returns: float = 0.22
    return_days: float = 45.0
    again: float = 0.004
    shocks: tuple[Shock, ...] = ()
    price_rise: int = 0


@dataclass(frozen=True, slots=True)
class Stages:
    """Stages of engagement, a semi-Markov process that runs whether or not a member leaves.

    A stage lasts a Weibull number of days (rounded up) and is followed by another with the given
    probabilities. New members who take off grow, the others fall silent. Stages in the order of `STAGES`.

    Attributes
    ----------
    days : tuple of 5 float
        Mean length; that of ``active`` is a segment's own (`Segment.active_days`).
    shape : tuple of 5 float
        Weibull shapes: above 1, leaving the stage grows more likely with time.
    follows : tuple of 5 tuple of 5 float
        Probabilities of the next stage, by stage.
    sessions : tuple of 5 float
        Factor on sessions; growing rises to that of active, and active fades in its last `fade_days`.
    hazard : tuple of 5 float
        Factor on the hazard of leaving.
    fade_days : int
        Days before the end of an active stage in which sessions fall, in a line, to `faded`.
    faded : float
        Share of the usual sessions that remains at its end.
    """

    days: tuple[float, ...] = (14.0, 24.0, 1.0, 26.0, 18.0)
    shape: tuple[float, ...] = (1.5, 1.5, 1.3, 0.8, 1.2)
    follows: tuple[tuple[float, ...], ...] = (
        (0.0, 1.0, 0.0, 0.0, 0.0),
        (0.0, 0.0, 0.9, 0.1, 0.0),
        (0.0, 0.45, 0.0, 0.55, 0.0),
        (0.0, 0.0, 0.0, 0.0, 1.0),
        (0.0, 0.0, 0.6, 0.4, 0.0),
    )
    sessions: tuple[float, ...] = (0.9, 0.6, 1.0, 0.02, 0.7)
    hazard: tuple[float, ...] = (1.0, 0.85, 0.75, 1.9, 1.1)
    fade_days: int = 14
    faded: float = 0.4


@dataclass(frozen=True, slots=True)
class Spells:
    """Changes of plan, and pauses.

    Attributes
    ----------
    changes : tuple of tuple of float
        Rate per day of changing from one plan (rows) to another (columns).
    pause_rate : float
        Rate per day of pausing.
    pause_days : tuple of 2 int
        Shortest and longest pause; equally likely between. A paused member does not come.
    """

    changes: tuple[tuple[float, ...], ...] = (
        (0.0, 0.0012, 0.0003),
        (0.0004, 0.0, 0.0002),
        (0.0003, 0.0003, 0.0),
    )
    pause_rate: float = 0.0006
    pause_days: tuple[int, int] = (14, 45)


@dataclass(frozen=True, slots=True)
class Service:
    """What members live through: page speed and errors, and the satisfaction that follows.

    Satisfaction is standard normal: ``-slowness x s + sqrt(1 - slowness^2) x e``, where ``s`` is the
    standardised logarithm of a member's load time and ``e`` independent noise. A member's load time is drawn
    independently of everything else: so members with slow and fast pages are comparable.

    Attributes
    ----------
    load_seconds : float
        Median of members' own median load time.
    load_spread : float
        Standard deviation of its logarithm between members.
    load_noise : float
        The same between the sessions of one member.
    errors : float
        Probability of an error in a session at `load_seconds`; it grows with the load time.
    slowness : float
        How far satisfaction hangs on speed (0-1).
    satisfaction : float
        Logarithm of the factor on the hazard per unit of satisfaction.
    requests, requests_slope : float
        Probability that a session ends with a request for help at satisfaction 0, and the logarithm of its
        factor per unit of satisfaction.
    """

    load_seconds: float = 1.4
    load_spread: float = 0.45
    load_noise: float = 0.3
    errors: float = 0.03
    slowness: float = 0.6
    satisfaction: float = -0.35
    requests: float = 0.02
    requests_slope: float = -0.5
