"""What a simulated world says beside its portrait: planted shares, rhythm, campaigns, effects, segments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sojourn.core.schema import AGE_BANDS
from sojourn.data.localtime import time_zone

#: Properties of hidden segments that the page shows.
_SHOWN = ("segment", "share", "hazard", "takes_off", "value_days", "sessions", "views", "buys", "price")


def truth_beside(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``truth`` as small as the page needs it; nothing where the case is not simulated.

    Parameters
    ----------
    meta : mapping
        Of tidy tables, with ``truth`` as `sojourn.world` wrote it.

    Returns
    -------
    dict
        ``truth`` with ``world`` (its name), ``shares`` (by grouping: share of joiners), ``hours`` (24 shares
        of visits on the case's clock), ``weekdays`` (7 shares), ``bursts`` (``first``, ``last`` day,
        ``factor``), ``late`` (share of rows), ``planted`` and ``segments``.
    """
    truth = meta.get("truth")
    if not truth or "parameters" not in truth:
        return {}
    parameters = truth["parameters"]
    joining, activity = parameters["joining"], parameters["activity"]
    weekdays = activity["weekdays"]
    features = truth["segments"]["features"]
    return {
        "truth": {
            "world": truth["world"]["name"],
            "shares": {
                "channel": _named(parameters["channels"]),
                "plan": _named(parameters["plans"]),
                "region": _named(joining["regions"]),
                "age_band": age_bands(joining["ages"], joining["birth_year_missing"]),
            },
            "hours": case_hours(activity["hours"], joining["regions"], meta),
            "weekdays": [round(factor / sum(weekdays), 9) for factor in weekdays],
            "bursts": [_burst(burst, meta["as_of"]) for burst in joining["bursts"]],
            "late": activity["late"],
            "planted": truth["planted"],
            "segments": [{name: row[name] for name in _SHOWN} for row in features],
        }
    }


def _named(parts: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    return {part["name"]: part["share"] for part in parts}


def age_bands(ages: Sequence[Sequence[float]], missing: float) -> dict[str, float]:
    """Return the share of joiners in each age band; ages are uniform within the (from, to, share) given."""
    shares = dict.fromkeys(AGE_BANDS, 0.0)
    for low, high, share in ages:
        years = range(int(low), int(high) + 1)
        for age in years:
            shares[_band(age)] += (1 - missing) * share / len(years)
    shares["unknown"] += missing
    return {band: round(shares[band], 9) for band in AGE_BANDS}


def _band(age: int) -> str:
    starts = [int(band.rstrip("+").split("-")[0]) for band in AGE_BANDS[:-1]]
    return AGE_BANDS[sum(age >= start for start in starts) - 1]


def case_hours(
    hours: Sequence[float], regions: Sequence[Mapping[str, Any]], meta: Mapping[str, Any]
) -> list[float]:
    """Return the share of visits in each hour on the case's clock, where members live by their region's.

    Days on which the clocks of both differ otherwise count for their number.
    """
    total, shown = sum(hours), [0.0] * 24
    first, last = (datetime.fromisoformat(meta[name]).astimezone(UTC) for name in ("observed_from", "as_of"))
    noons = [first + timedelta(days=day, hours=12) for day in range(max((last - first).days, 1))]
    for region in regions:
        ahead = Counter(_ahead(at, meta["time_zone"], region["time_zone"]) for at in noons)
        for quarters, days in ahead.items():
            share = region["share"] * days / len(noons) / total / 4
            for quarter in range(96):
                shown[(quarter + quarters) % 96 // 4] += share * hours[quarter // 4]
    return [round(share, 9) for share in shown]


def _ahead(at: datetime, ours: str, theirs: str) -> int:
    """Return by how many quarters of an hour our clock is ahead of theirs."""
    offsets = [at.astimezone(time_zone(zone)).utcoffset() or timedelta(0) for zone in (ours, theirs)]
    return round((offsets[0] - offsets[1]) / timedelta(minutes=15))


def _burst(burst: Mapping[str, Any], as_of: str) -> dict[str, Any]:
    first = datetime.fromisoformat(as_of).astimezone(UTC) - timedelta(days=burst["ago"])
    last = first + timedelta(days=burst["days"] - 1)
    return {"first": first.date().isoformat(), "last": last.date().isoformat(), "factor": burst["factor"]}
