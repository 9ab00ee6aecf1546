"""Who joins, when, and from which hidden segment."""

from __future__ import annotations

from dataclasses import dataclass

#: Age bands at joining, as the door makes them.
AGE_BANDS: tuple[str, ...] = ("18-24", "25-34", "35-44", "45-54", "55+", "unknown")
#: Reasons of leaving.
REASONS: tuple[str, ...] = ("price", "content", "service", "moved away", "unknown")


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of acquisition.

    Attributes
    ----------
    name : str
        Name in `members`.
    share : float
        Share of joiners.
    hazard : float
        Factor on the hazard of leaving.
    cost : float
        Money spent on each member who joins through it.
    """

    name: str
    share: float
    hazard: float
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan.

    Attributes
    ----------
    name : str
        Name in `members` and `spells`.
    share : float
        Share of joiners who begin on it.
    hazard : float
        Factor on the hazard of leaving while a member is on it.
    later : float
        The same from `Churn.turn_day` on: another value makes hazards non-proportional.
    price : float
        Price per month.
    """

    name: str
    share: float
    hazard: float
    later: float
    price: float


@dataclass(frozen=True, slots=True)
class Region:
    """One region: name, share of joiners, and the time zone its members live by."""

    name: str
    share: float
    time_zone: str


@dataclass(frozen=True, slots=True)
class Burst:
    """A campaign that brings more members for some days.

    Attributes
    ----------
    ago : int
        Days before `as_of` on which it begins.
    days : int
        How long it lasts.
    factor : float
        Factor on the number of joiners.
    """

    ago: int
    days: int
    factor: float


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
    bursts : tuple of Burst
        Campaigns.
    before_days : int
        Members may have joined so many days before observation began; those who had left by then are
        in no table.
    ages : tuple of (from, to, share)
        Age at joining, uniform within a band, both ends included.
    birth_year_missing : float
        Share of members who do not state their year of birth.
    genders : tuple of (name, share)
        What members state.
    regions : tuple of Region
        Where they live.
    consent : tuple of 3 float
        Shares of members who agreed to analysis, did not, and were not asked.
    referral_days : int
        The referrer of a member joined at most so many days before.
    clubs : int
        Clubs in a block of 4,096 members, all equally likely; 0 for none.
    """

    growth: float = 0.5
    season: float = 0.25
    season_peak: int = 15
    bursts: tuple[Burst, ...] = (Burst(ago=420, days=10, factor=2.2), Burst(ago=160, days=7, factor=1.8))
    before_days: int = 60
    ages: tuple[tuple[int, int, float], ...] = (
        (18, 24, 0.30),
        (25, 35, 0.46),
        (36, 49, 0.17),
        (50, 75, 0.07),
    )
    birth_year_missing: float = 0.03
    genders: tuple[tuple[str, float], ...] = (("female", 0.53), ("male", 0.44), ("other", 0.03))
    regions: tuple[Region, ...] = (
        Region("north", 0.22, "Europe/Helsinki"),
        Region("south", 0.27, "Europe/Madrid"),
        Region("east", 0.18, "Europe/Istanbul"),
        Region("west", 0.33, "Europe/London"),
    )
    consent: tuple[float, float, float] = (0.98, 0.01, 0.01)
    referral_days: int = 120
    clubs: int = 0


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
    takes_off : float
        Share of members who reach their first value moment; the others never buy.
    value_days : float
        Mean days until that moment.
    active_days : float
        Mean length of an active stage, in days.
    sessions : float
        Sessions per day in an active stage, long after joining.
    views, buys, tasks, social : float
        Per session: mean number of views, probabilities of a purchase and of a task, mean number of likes,
        comments and shares.
    price : float
        Median amount of a purchase.
    price_sensitivity : float
        Logarithm of the factor on the hazard after a rise of prices.
    taste : tuple of 5 float
        How views spread over the first five of `FEATURES`.
    reasons : tuple of 5 float
        How reasons of leaving spread over `REASONS`.
    """

    name: str
    share: float
    hazard: float
    takes_off: float
    value_days: float
    active_days: float
    sessions: float
    views: float
    buys: float
    tasks: float
    social: float
    price: float
    price_sensitivity: float
    taste: tuple[float, ...]
    reasons: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Gradient:
    """How members differ within segments, by factors of their own.

    Attributes
    ----------
    kind : str
        ``gamma``: sessions only, gamma distributed; ``heavy``: sessions only, log-normal; ``gaussian``: five
        properties (sessions, views, buys, tasks, price), log-normal with one correlation; ``curved``: the
        same five along a bent line, with noise.
    spread : float
        Shape of the gamma distribution, or standard deviation of the logarithms.
    correlation : float
        Of the logarithms of ``gaussian``.
    hazard : float
        Power of a member's own sessions by which the hazard falls: 0.5 means that who comes four times as
        often leaves half as fast.
    """

    kind: str = "gamma"
    spread: float = 4.0
    correlation: float = 0.8
    hazard: float = 0.0
