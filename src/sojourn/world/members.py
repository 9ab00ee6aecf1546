"""Table `members`: who joins, when, and from which hidden segment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from sojourn.world.clock import DAY, Floats, Ints, draw_time_of_day, local_clock
from sojourn.world.hazards import kind_of
from sojourn.world.parameters import AGE_BANDS, Frame, Joining, WorldParameters


@dataclass(frozen=True, slots=True)
class People:
    """Members of one block as they join; arrays of one entry per member, categories as codes.

    Attributes
    ----------
    joined : array of int
        Seconds since 1970.
    channel, plan, gender, region, age_band : array of int
        Codes in the order of the parameters.
    birth_year : array of int
        -1 where not stated.
    segment, kind : array of int
        Hidden.
    activity : array of float
        Hidden: own factor on the number of sessions, of mean 1.
    """

    joined: Ints
    channel: Ints
    plan: Ints
    gender: Ints
    region: Ints
    age_band: Ints
    birth_year: Ints
    segment: Ints
    kind: Ints
    activity: Floats

    def __len__(self) -> int:
        return len(self.joined)


def draw_people(frame: Frame, n: int, rng: np.random.Generator) -> People:
    """Draw `n` members as they join."""
    parameters, joining = frame.parameters, frame.parameters.joining
    joined = draw_joined(frame, n, rng)
    age = draw_ages(joining, n, rng)
    stated = rng.random(n) >= joining.birth_year_missing
    channel = draw_codes([c.share for c in parameters.channels], n, rng)
    plan = draw_codes([p.share for p in parameters.plans], n, rng)
    segment = draw_segments(parameters, channel, age, rng)
    return People(
        joined=joined,
        channel=channel,
        plan=plan,
        gender=draw_codes([share for _, share in joining.genders], n, rng),
        region=draw_codes([share for _, share in joining.regions], n, rng),
        age_band=np.where(stated, age_bands(age), AGE_BANDS.index("unknown")),
        birth_year=np.where(stated, years(joined) - age, -1),
        segment=segment,
        kind=kind_of(parameters, segment, plan, channel),
        activity=rng.gamma(parameters.activity.spread, 1 / parameters.activity.spread, n),
    )


def joining_weights(frame: Frame) -> Floats:
    """Return the relative number of joiners on each day from `start`: growth times season."""
    joining = frame.parameters.joining
    day = np.arange(frame.days)
    begins = datetime.fromtimestamp(frame.start, UTC).timetuple().tm_yday
    turn = 2 * np.pi * (begins + day - joining.season_peak) / 365.25
    return (1 + joining.growth) ** (day / 365.25) * (1 + joining.season * np.cos(turn))


def draw_joined(frame: Frame, n: int, rng: np.random.Generator) -> Ints:
    """Draw instants of joining: a day by its weight, a local time by the hours' weights."""
    clock = local_clock(frame.time_zone, frame.start, frame.as_of)
    day = draw_codes(joining_weights(frame), n, rng)
    time_of_day = draw_time_of_day(frame.parameters.activity.hours, n, rng)
    return clock.next_at(frame.start + day * DAY, time_of_day)


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


def draw_codes(weights: Sequence[float] | Floats, n: int, rng: np.random.Generator) -> Ints:
    """Draw `n` codes from 0 with the given weights, one uniform number each."""
    edges = np.cumsum(weights)
    found: Ints = np.searchsorted(edges, rng.random(n) * edges[-1], side="right")
    return np.minimum(found, len(edges) - 1)


def draw_referrers(frame: Frame, people: People, left: Floats, rng: np.random.Generator) -> Ints:
    """Draw who brought each member of channel ``referral``: one of the block who was a member then.

    Parameters
    ----------
    frame, people
        The world and the block's members.
    left : array of float
        Instants of leaving, infinite for never.
    rng : Generator
        Source of randomness.

    Returns
    -------
    array of int
        Number within the block, -1 for nobody (or nobody known).
    """
    joined = people.joined
    order = np.argsort(joined, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    chosen = order[(rng.random(len(order)) * rank).astype(np.int64)]
    referral = [c.name for c in frame.parameters.channels].index("referral")
    fits = (people.channel == referral) & (joined[chosen] < joined) & (left[chosen] > joined)
    return np.where(fits, chosen, -1)
