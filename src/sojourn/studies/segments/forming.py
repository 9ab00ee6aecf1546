"""Features that form groups: counts on scales without heavy tails, shares shrunk where little is seen.

Which features form groups:

- recency, frequency, monetary value, intensity, trend, breadth, and the mix of kinds of events, always: they
  tell what members do, and how often;
- rhythm (parts of the day, weekends) and response to messages, where members differ in them by more than
  chance (`RELIABLE`): the share of five visits that fell into the evening says little of a member, and a
  feature of mostly chance hides groups, or with few visits makes a grid that looks like some. Clicks are a
  share of messages opened: of messages sent, who opens none would have nothing in both features.

All others describe groups and form none. Time since joining is no doing. Features, categories, social events
and points follow from what is done, which the mix already tells: counted twice it would weigh twice. Members
brought are 0, 1 or 2, which is a grid.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.measures import HOURS, MONTH, Counting
from sojourn.core.results.segments import Floats

#: Events (days, messages) of the average member that are added to everybody's before shares are taken.
PRIOR_EVENTS = 10.0

#: Share of a feature's variance that has to be of members and not of chance (a reliability; Nunnally 1978,
#: Psychometric Theory, asks for so much where groups are compared).
RELIABLE = 0.7


def forming(
    counts: pd.DataFrame, counting: Counting, kinds: Sequence[str], fit: NDArray[np.bool_]
) -> dict[str, Floats]:
    """Return the features on the scale on which groups are looked for, in a fixed order.

    Parameters
    ----------
    counts : DataFrame
        What was counted of each member.
    counting : Counting
        How.
    kinds : sequence of str
        Names of its kinds of events.
    fit : array of bool
        Members that form groups; averages, units and the part of chance are theirs.
    """
    events = counts["events"]
    mix = {kind: angle(counts[f"kind_{i}"], events, fit) for i, kind in enumerate(kinds, start=1)}
    return _always(counts, fit) | (mix if len(kinds) > 1 else {}) | dict(_rhythm(counts, counting, fit))


def _always(counts: pd.DataFrame, fit: NDArray[np.bool_]) -> dict[str, Floats]:
    days, months = (_floats(counts[name]) for name in ("active_days", "observed_days"))
    months = months / MONTH
    spend = _floats(counts["value"]) / months
    a_day = np.divide(_floats(counts["events"]), days, out=np.ones(len(days)), where=days > 0)
    last, before = (_floats(counts[name]) + 1 for name in ("active_last", "active_before"))
    return {
        "recency": np.log1p(_floats(counts["recency_days"])),
        "frequency": np.log((days + 0.5) / (months + 0.5)),
        "monetary": symmetric_log(spend, _unit(spend, fit)),
        "intensity": np.log(a_day),
        "trend": np.log(last / before),
        "breadth": np.log1p(_floats(counts["kinds"])),
    }


def _rhythm(counts: pd.DataFrame, counting: Counting, fit: NDArray[np.bool_]) -> Iterator[tuple[str, Floats]]:
    """Yield the shares of rhythm and response in which members differ by more than chance."""
    shares = [("weekend", "weekend_days", "active_days", "active_days")]
    if "hours" in counting.families:
        shares += [(part, part, "events", "active_days") for part in HOURS]  # a visit is at one hour
    if "messages" in counting.families:
        shares.append(("messages", "opened", "sent", "sent"))
    if {"messages", "clicks"} <= set(counting.families):
        shares.append(("clicks", "clicked", "opened", "opened"))
    for name, some, of, draws in shares:
        column = angle(counts[some], counts[of], fit)
        if reliability(column, counts[of], counts[draws], fit) >= RELIABLE:
            yield name, column


def angle(some: pd.Series[int], of: pd.Series[int], fit: NDArray[np.bool_]) -> Floats:
    """Return a share as an angle (arcsine of the root), which has nearly the same spread for all shares.

    Ten events of the average member are added to everybody's, so that members of whom little is seen stand in
    the middle and not on a grid. Counts of private cases are coarse, each by itself, so a part may be larger
    than its whole: it is all of it then.
    """
    k, n = _floats(some), _floats(of)
    average = k[fit].sum() / max(float(n[fit].sum()), 1.0)
    share = (k + PRIOR_EVENTS * average) / (n + PRIOR_EVENTS)
    return np.asarray(np.arcsin(np.sqrt(np.minimum(share, 1.0))), dtype=np.float64)


def reliability(column: Floats, of: pd.Series[int], draws: pd.Series[int], fit: NDArray[np.bool_]) -> float:
    """Return the share of the variance of angles that chance does not explain.

    Parameters
    ----------
    column : array
        As `angle` returns it.
    of : Series
        Events behind each share.
    draws : Series
        How many of them were drawn independently of each other: those of one visit come together.
    fit : array of bool
        Members that form groups.

    Notes
    -----
    The angle of a share among n independent events has the variance 1 / (4 n) (Freeman & Tukey 1950, Annals
    of Mathematical Statistics 21, 607-611); events added to everybody's shrink it by (n / (n + 10)) ** 2.
    """
    total = float(column[fit].var())
    n, independent = _floats(of)[fit], _floats(draws)[fit]
    shrunk = (n / (n + PRIOR_EVENTS)) ** 2
    chance = np.divide(shrunk, 4 * independent, out=np.zeros(len(n)), where=independent > 0)
    return 1 - float(chance.mean()) / total if total > 0 else 0.0


def symmetric_log(values: Floats, unit: float) -> Floats:
    """Return asinh(values / unit), linear near 0 and logarithmic beyond; 0 where the unit is."""
    scaled: Floats = np.arcsinh(values / unit) if unit > 0 else np.zeros_like(values)
    return scaled


def _unit(values: Floats, fit: NDArray[np.bool_]) -> float:
    """Return the median size of the values that are not 0, over the rows that fit; 0 if there are none."""
    sizes = np.abs(values[fit & (values != 0)])
    return float(np.median(sizes)) if len(sizes) else 0.0


def _floats(column: pd.Series[int]) -> Floats:
    return np.asarray(column, dtype=np.float64)
