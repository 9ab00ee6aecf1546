"""Who joins: members as they are on their first day, and who brought them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from sojourn.world.arrays import Bools, Floats, Ints
from sojourn.world.clock import DAY, LocalClock, draw_time_of_day, local_clock
from sojourn.world.parameters import AGE_BANDS, Frame, Gradient, Joining, Service, WorldParameters

#: Properties in which members differ from their segment, by factors of their own.
OWN: tuple[str, ...] = ("sessions", "views", "buys", "tasks", "price")


@dataclass(frozen=True, slots=True)
class People:
    """Members of one block as they join; arrays of one entry per member, categories as codes.

    Attributes
    ----------
    joined : array of int
        Seconds since 1970.
    channel, plan, gender, region, age_band, consent : array of int
        Codes in the order of the parameters; `plan` is the one at joining.
    birth_year : array of int
        -1 where not stated.
    club : array of int
        Number of the club within the block; 0 for all where there are none.
    segment : array of int
        Hidden.
    own : array (members, 5) of float
        Hidden: factors of the member's own on the properties `OWN`, of mean about 1.
    slow : array of float
        Hidden: standardised logarithm of the member's load time.
    satisfaction : array of float
        Hidden: standard normal.
    takes_off : array of bool
        Hidden: whether the member reaches a first value moment.
    value_day : array of float
        Hidden: days from joining to that moment; infinite without one.
    """

    joined: Ints
    channel: Ints
    plan: Ints
    gender: Ints
    region: Ints
    age_band: Ints
    consent: Ints
    birth_year: Ints
    club: Ints
    segment: Ints
    own: Floats
    slow: Floats
    satisfaction: Floats
    takes_off: Bools
    value_day: Floats

    def __len__(self) -> int:
        return len(self.joined)


def draw_people(frame: Frame, n: int, rng: np.random.Generator) -> People:
    """Draw `n` members as they join."""
    parameters, joining = frame.parameters, frame.parameters.joining
    region = draw_codes([r.share for r in joining.regions], n, rng)
    joined = draw_joined(frame, region, rng)
    age = draw_ages(joining, n, rng)
    stated = rng.random(n) >= joining.birth_year_missing
    channel = draw_codes([c.share for c in parameters.channels], n, rng)
    segment = draw_segments(parameters, channel, age, rng)
    slow, satisfaction = draw_service(parameters.service, n, rng)
    takes_off = rng.random(n) < of_segment(parameters, "takes_off")[segment]
    delay = rng.gamma(2.0, of_segment(parameters, "value_days")[segment] / 2)
    return People(
        joined=joined,
        channel=channel,
        plan=draw_codes([p.share for p in parameters.plans], n, rng),
        gender=draw_codes([share for _, share in joining.genders], n, rng),
        region=region,
        age_band=np.where(stated, age_bands(age), AGE_BANDS.index("unknown")),
        consent=draw_codes(joining.consent, n, rng),
        birth_year=np.where(stated, years(joined) - age, -1),
        club=rng.integers(max(joining.clubs, 1), size=n),
        segment=segment,
        own=draw_own(parameters.gradient, n, rng),
        slow=slow,
        satisfaction=satisfaction,
        takes_off=takes_off,
        value_day=np.where(takes_off, delay, np.inf),
    )


def of_segment(parameters: WorldParameters, name: str) -> Floats:
    """Return one property of all hidden segments, in their order."""
    return np.array([getattr(segment, name) for segment in parameters.segments], dtype=np.float64)


def joining_weights(frame: Frame) -> Floats:
    """Return the relative number of joiners on each day, from the earliest: growth, season and bursts."""
    joining = frame.parameters.joining
    day = np.arange(frame.longest) - joining.before_days
    begins = datetime.fromtimestamp(frame.start, UTC).timetuple().tm_yday
    turn = 2 * np.pi * (begins + day - joining.season_peak) / 365.25
    weights = (1 + joining.growth) ** (day / 365.25) * (1 + joining.season * np.cos(turn))
    for burst in joining.bursts:
        since = day - (frame.days - burst.ago)
        weights = weights * np.where((since >= 0) & (since < burst.days), burst.factor, 1.0)
    return np.asarray(weights, dtype=np.float64)


def draw_joined(frame: Frame, region: Ints, rng: np.random.Generator) -> Ints:
    """Draw instants of joining: a day by its weight, a time of the region's day by the hours' weights."""
    n = len(region)
    day = draw_codes(joining_weights(frame), n, rng)
    time_of_day = draw_time_of_day(frame.parameters.activity.hours, n, rng)
    earliest = frame.start - frame.parameters.joining.before_days * DAY
    return next_local(frame, region, earliest + day * DAY, time_of_day)


def next_local(frame: Frame, region: Ints, start: Ints, time_of_day: Ints) -> Ints:
    """Return the instant in the 24 hours from `start` with that time of day where the member lives."""
    at = np.empty_like(start)
    for code, rows in by_region(frame, region):
        at[rows] = code.next_at(start[rows], time_of_day[rows])
    return at


def by_region(frame: Frame, region: Ints) -> list[tuple[LocalClock, Ints]]:
    """Return the clock of every region with the rows that live by it."""
    earliest = frame.start - frame.parameters.joining.before_days * DAY
    regions = frame.parameters.joining.regions
    return [
        (local_clock(place.time_zone, earliest, frame.as_of), np.flatnonzero(region == code))
        for code, place in enumerate(regions)
    ]


def draw_ages(joining: Joining, n: int, rng: np.random.Generator) -> Ints:
    """Draw ages at joining, in years."""
    lowest, highest, shares = (np.array(column) for column in zip(*joining.ages, strict=True))
    band = draw_codes(shares, n, rng)
    return rng.integers(lowest[band], highest[band], endpoint=True)


def age_bands(age: Ints) -> Ints:
    """Return the code of the age band of each age."""
    return np.digitize(age, [25, 35, 45, 55])


def years(at: Ints) -> Ints:
    """Return the calendar year (UTC) of instants."""
    return at.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970


def draw_segments(parameters: WorldParameters, channel: Ints, age: Ints, rng: np.random.Generator) -> Ints:
    """Draw hidden segments: their shares, tilted by channel and by being under 30."""
    logits = np.log([s.share for s in parameters.segments]) + np.asarray(parameters.channel_tilt)[channel]
    logits = logits + np.where(age < 30, 1.0, 0.0)[:, None] * np.asarray(parameters.young_tilt)
    edges = np.cumsum(np.exp(logits), axis=1)
    drawn = rng.random(len(age))[:, None] * edges[:, -1:]
    found: Ints = (drawn >= edges[:, :-1]).sum(axis=1)
    return found


def draw_own(gradient: Gradient, n: int, rng: np.random.Generator) -> Floats:
    """Draw members' own factors on `OWN`, each of mean 1 except in the bent line.

    ``gaussian`` has equally correlated logarithms; ``curved`` puts them on the parabola
    ``(u, u^2, 1 - u, u^2, u)``, ``u`` uniform, centred, with a tenth of its width as noise.
    """
    spread, width = gradient.spread, len(OWN)
    own = np.ones((n, width))
    if gradient.kind == "gamma":
        own[:, 0] = rng.gamma(spread, 1 / spread, n)
    elif gradient.kind == "heavy":
        own[:, 0] = np.exp(spread * rng.standard_normal(n) - spread**2 / 2)
    elif gradient.kind == "gaussian":
        shared = np.sqrt(gradient.correlation) * rng.standard_normal(n)[:, None]
        logs = shared + np.sqrt(1 - gradient.correlation) * rng.standard_normal((n, width))
        own = np.exp(spread * logs - spread**2 / 2)
    else:
        u = rng.random(n)
        line = np.stack([u, u**2, 1 - u, u**2, u], axis=1) - np.array([1 / 2, 1 / 3, 1 / 2, 1 / 3, 1 / 2])
        own = np.exp(spread * 3 * (line + 0.1 * rng.standard_normal((n, width))))
    return own


def draw_service(service: Service, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw how slow pages are for each member (standardised), and how satisfied the member is."""
    slow, other = rng.standard_normal(n), rng.standard_normal(n)
    return slow, -service.slowness * slow + np.sqrt(1 - service.slowness**2) * other


def draw_codes(weights: Sequence[float] | Floats, n: int, rng: np.random.Generator) -> Ints:
    """Draw `n` codes from 0 with the given weights, one uniform number each."""
    edges = np.cumsum(weights)
    found: Ints = np.searchsorted(edges, rng.random(n) * edges[-1], side="right")
    return np.minimum(found, len(edges) - 1)


def draw_referrers(frame: Frame, people: People, rng: np.random.Generator) -> Ints:
    """Draw who brought each member of channel ``referral``: one who had joined a short time before.

    The link does not depend on what becomes of either, so the referrer may have left by then: an invitation
    goes on working.

    Returns
    -------
    array of int
        Number within the block, -1 for nobody (or nobody known).
    """
    joined = people.joined
    order = np.argsort(joined, kind="stable")
    sorted_times = joined[order]
    first = np.searchsorted(sorted_times, joined - frame.parameters.joining.referral_days * DAY)
    end = np.searchsorted(sorted_times, joined)
    chosen = first + (rng.random(len(joined)) * (end - first)).astype(np.int64)
    referral = [c.name for c in frame.parameters.channels].index("referral")
    known = (people.channel == referral) & (end > first)
    return np.where(known, order[np.minimum(chosen, len(order) - 1)], -1)
