"""What a world is drawn from: nothing is planted that has no parameter here."""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.core.errors import ParameterError
from sojourn.core.ranges import in_range

#: Age bands at joining, as the door makes them.
AGE_BANDS: tuple[str, ...] = ("18-24", "25-34", "35-44", "45-54", "55+", "unknown")
#: Kinds of events, in the order in which ties of one member in one second are listed.
EVENTS: tuple[str, ...] = ("join", "login", "view", "task", "purchase")
#: Parts of the product. Views spread over the first five by a segment's taste.
FEATURES: tuple[str, ...] = (
    "catalogue",
    "offers",
    "community",
    "search",
    "news",
    "home",
    "tasks",
    "checkout",
)
#: Reasons of leaving.
REASONS: tuple[str, ...] = ("price", "content", "service", "moved away", "unknown")


@dataclass(frozen=True, slots=True)
class Level:
    """One channel or plan: name, share of joiners, and factor on the hazard of leaving."""

    name: str
    share: float
    hazard: float


@dataclass(frozen=True, slots=True)
class Joining:
    """When members join and who they are.

    Attributes
    ----------
    growth : float
        Yearly growth of the daily number of joiners (0.5 = 50 % more after a year).
    season : float
        Amplitude of the yearly season (0-1).
    season_peak : int
        Day of the year on which most join.
    ages : tuple of (from, to, share)
        Age at joining, uniform within a band, both ends included.
    birth_year_missing : float
        Share of members who do not state their year of birth.
    genders, regions : tuple of (name, share)
        What members state.
    """

    growth: float = 0.5
    season: float = 0.25
    season_peak: int = 15
    ages: tuple[tuple[int, int, float], ...] = (
        (18, 24, 0.30),
        (25, 35, 0.46),
        (36, 49, 0.17),
        (50, 75, 0.07),
    )
    birth_year_missing: float = 0.03
    genders: tuple[tuple[str, float], ...] = (("female", 0.53), ("male", 0.44), ("other", 0.03))
    regions: tuple[tuple[str, float], ...] = (
        ("north", 0.22),
        ("south", 0.27),
        ("east", 0.18),
        ("west", 0.33),
    )


@dataclass(frozen=True, slots=True)
class Churn:
    """Hazard of leaving by days since joining: a later level and an early bump.

    Attributes
    ----------
    level : float
        Hazard per day long after joining, for a member with all factors 1.
    peak : float
        Hazard at the peak, as a multiple of `level`.
    peak_day : float
        Day of the peak.
    quiet_days : int
        Days before leaving in which a member is less active.
    quiet : float
        Activity in those days, as a share of the usual (0-1).
    """

    level: float = 0.0028
    peak: float = 2.1
    peak_day: float = 38.0
    quiet_days: int = 14
    quiet: float = 0.5


@dataclass(frozen=True, slots=True)
class Segment:
    """One hidden segment.

    Attributes
    ----------
    name : str
        How the truth calls it; no observed table does.
    share : float
        Share of members before channel and age tilt it.
    hazard : float
        Factor on the hazard of leaving.
    sessions : float
        Sessions per day, long after joining.
    views, buys, tasks : float
        Per session: mean number of views, probability of a purchase, probability of a task.
    price : float
        Median amount of a purchase.
    taste : tuple of 5 float
        How views spread over the first five of `FEATURES`.
    reasons : tuple of 5 float
        How reasons of leaving spread over `REASONS`.
    """

    name: str
    share: float
    hazard: float
    sessions: float
    views: float
    buys: float
    tasks: float
    price: float
    taste: tuple[float, ...]
    reasons: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Activity:
    """Rhythm and money, the same for all segments.

    Attributes
    ----------
    hours : tuple of 24 float
        Weights of local hours: peaks 9-11 and 17-19.
    weekdays : tuple of 7 float
        Factors from Monday to Sunday, of mean 1.
    novelty, novelty_days : float
        Sessions of new members are 1 + `novelty` times the later ones, falling off with this time constant.
    spread : float
        Shape of the gamma distribution (mean 1) of a member's own activity: a gradient within segments.
    price_points : tuple of float
        Amounts of list-price purchases.
    list_price : float
        Share of purchases at a price point; the others are log-normal.
    price_spread : float
        Standard deviation of the logarithm of log-normal amounts, and width of the choice of points.
    refunds : float
        Share of purchases that are fully refunded.
    refund_days : tuple of int
        Days until a refund, equally likely; at most `Churn.quiet_days` and `Trial.day`.
    """

    hours: tuple[float, ...] = (
        0.40, 0.25, 0.15, 0.12, 0.15, 0.30, 0.60, 1.00, 1.40, 2.10, 2.20, 1.60,
        1.40, 1.30, 1.20, 1.30, 1.60, 2.30, 2.40, 1.80, 1.60, 1.30, 0.90, 0.60,
    )  # fmt: skip
    weekdays: tuple[float, ...] = (0.92, 0.90, 0.91, 0.93, 0.99, 1.20, 1.15)
    novelty: float = 1.0
    novelty_days: float = 20.0
    spread: float = 4.0
    price_points: tuple[float, ...] = (4.99, 9.99, 14.99, 19.99, 29.99, 49.99)
    list_price: float = 0.5
    price_spread: float = 0.5
    refunds: float = 0.04
    refund_days: tuple[int, ...] = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Scheme:
    """One incentive scheme; one number per hidden segment, in their order.

    Attributes
    ----------
    name : str
        Name in `assignments`.
    hazard, rebound : tuple of float
        Factors on the hazard while the reward runs, and for `Trial.rebound_days` after it.
    buys, tasks : tuple of float
        Factors on the probability of a purchase and of a task per session while the reward runs.
    at_start, per_purchase : tuple of float
        Money spent at assignment, and on each purchase while the reward runs.
    """

    name: str
    hazard: tuple[float, ...] = (1.0, 1.0, 1.0)
    rebound: tuple[float, ...] = (1.0, 1.0, 1.0)
    buys: tuple[float, ...] = (1.0, 1.0, 1.0)
    tasks: tuple[float, ...] = (1.0, 1.0, 1.0)
    at_start: tuple[float, ...] = (0.0, 0.0, 0.0)
    per_purchase: tuple[float, ...] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Trial:
    """The randomised trial.

    Attributes
    ----------
    name : str
        Name in `assignments`.
    schemes : tuple of Scheme
        Equally likely; the first is the control.
    day : int
        Day after joining on which members who are still active are randomised.
    opens, closes : int
        Members who joined between these numbers of days before `as_of` take part.
    reward_days, rebound_days : int
        How long the reward runs, and its after-effect.
    horizon_days : int
        Days after assignment at which the trial is judged.
    margin : float
        Share of revenue that is earned.
    """

    name: str
    schemes: tuple[Scheme, ...]
    day: int = 7
    opens: int = 480
    closes: int = 98
    reward_days: int = 56
    rebound_days: int = 28
    horizon_days: int = 90
    margin: float = 0.3


@dataclass(frozen=True, slots=True)
class WorldParameters:
    """All parameters of a world.

    Attributes
    ----------
    channels, plans : tuple of Level
        Known at joining.
    segments : tuple of Segment
        Hidden.
    channel_tilt : tuple of tuple of float
        Log-odds added to each segment (columns) in each channel (rows).
    young_tilt : tuple of float
        Log-odds added to each segment for members under 30.
    trial, joining, churn, activity
        See their classes.
    effects, separation : float
        Switches of the world; see `sojourn.world.demo.world_parameters`.
    """

    channels: tuple[Level, ...]
    plans: tuple[Level, ...]
    segments: tuple[Segment, ...]
    channel_tilt: tuple[tuple[float, ...], ...]
    young_tilt: tuple[float, ...]
    trial: Trial
    joining: Joining = Joining()
    churn: Churn = Churn()
    activity: Activity = Activity()
    effects: float = 1.0
    separation: float = 1.0

    def __post_init__(self) -> None:
        highest = max(
            s.buys * b
            for scheme in self.trial.schemes
            for s, b in zip(self.segments, scheme.buys, strict=True)
        )
        in_range(highest, "probability of a purchase per session, with its scheme", gt=0, lt=1)
        in_range(
            max(self.activity.refund_days), "refund_days", ge=0, le=min(self.trial.day, self.churn.quiet_days)
        )


@dataclass(frozen=True, slots=True)
class Frame:
    """What a world is asked for: how many members, from when to when, and from which parameters.

    Attributes
    ----------
    members, seed : int
        Number of members, and seed of everything random.
    start, as_of : int
        Members join from `start` on; nothing is seen at `as_of` or later. Seconds since 1970.
    time_zone : str
        Zone whose local time rhythms follow.
    parameters : WorldParameters
        What it is drawn from.
    """

    members: int
    seed: int
    start: int
    as_of: int
    time_zone: str
    parameters: WorldParameters

    def __post_init__(self) -> None:
        in_range(self.members, "members", ge=1)
        in_range(self.seed, "seed", ge=0)
        if self.days < 1:
            raise ParameterError("'start' must be at least one day before 'as_of'.")

    @property
    def days(self) -> int:
        """Whole days in which members join, and so the longest follow-up."""
        return (self.as_of - self.start) // 86_400
