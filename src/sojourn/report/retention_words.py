"""How retention is put into words: who, how long, and what being with us means."""

from __future__ import annotations

from sojourn.core.interval import Interval
from sojourn.core.results.retention import EVERYONE, RetentionCurve
from sojourn.core.text import bounds, number, plural

_WHO = {
    "cohort": "members who joined in {}",
    "channel": "members who came by {}",
    "region": "members from {}",
    "age_band": "members aged {}",
    "plan": "{} members",
}


def who(by: str, group: str) -> str:
    """Name the members of a group.

    Examples
    --------
    >>> who("plan", "annual"), who("cohort", "2025-01"), who("all", "all")
    ('annual members', 'members who joined in 2025-01', 'members')
    """
    return "members" if group == EVERYONE else _WHO.get(by, f"members with {by} {{}}").format(group)


def span(duration: float, unit: str) -> str:
    """Print a duration with its unit.

    Examples
    --------
    >>> span(1, "day"), span(90, "day"), span(12, "month")
    ('1 day', '90 days', '12 months')
    """
    return plural(duration, unit)


def still(curve: RetentionCurve) -> str:
    """Say what those who have not left are, in the words of the case."""
    return "still with us" if curve.leaving == "cancellation" else "still active"


def gone(curve: RetentionCurve) -> str:
    """Say what those who left did, in the words of the case."""
    return "left" if curve.leaving == "cancellation" else "fell silent"


def meaning(curve: RetentionCurve) -> str:
    """Say what leaving means in the case, as a sentence."""
    if curve.leaving == "cancellation":
        return "Leaving means cancelling."
    lapse = span(curve.lapse or 0, "day")
    return (
        f"Active means that no silence of more than {lapse} has begun; those who fall silent may come back."
    )


def of_100(interval: Interval) -> str:
    """Print a share as members in 100 with its interval.

    Examples
    --------
    >>> of_100(Interval(0.612, 0.604, 0.62, mass=0.95, kind="log-log"))
    '61.2 (95 % confidence interval 60.4 to 62.0)'
    """
    scaled = interval.scaled(100)
    return f"{number(scaled.value)} ({bounds(scaled)})"
