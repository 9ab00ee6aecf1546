"""How retention is put into words: who, how long, and what being with us means."""

from __future__ import annotations

from typing import Protocol

from sojourn.core.interval import Interval
from sojourn.core.results.retention import EVERYONE, RetentionCurve
from sojourn.core.text import in_words, number, plural

#: How pictures show what is true in a simulated world.
CIRCLES = "Circles: the truth of the simulated world."

_WHO = {
    "cohort": "members of the {} cohort",
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
    ('annual members', 'members of the 2025-01 cohort', 'members')
    """
    return "members" if group == EVERYONE else _WHO.get(by, f"members with {by} {{}}").replace("{}", group)


def span(duration: float, unit: str) -> str:
    """Print a duration with its unit.

    Examples
    --------
    >>> span(1, "day"), span(90, "day"), span(12, "month")
    ('1 day', '90 days', '12 months')
    """
    return plural(duration, unit)


class Leaves(Protocol):
    """A result that knows how leaving is known in its case."""

    @property
    def leaving(self) -> str:
        """``cancellation`` or ``silence``."""


def _cancels(result: Leaves) -> bool:
    return result.leaving == "cancellation"


def here(result: Leaves) -> str:
    """Say what those who are members are, in the words of the case."""
    return "with us" if _cancels(result) else "active"


def still(result: Leaves) -> str:
    """Say what those who have not left are, in the words of the case."""
    return f"still {here(result)}"


def gone(result: Leaves) -> str:
    """Say what those who left did, in the words of the case."""
    return "left" if _cancels(result) else "fell silent"


def had_gone(result: Leaves) -> str:
    """Say what those who had left had done, in the words of the case."""
    return "left" if _cancels(result) else "fallen silent"


def go(result: Leaves) -> str:
    """Say what those who leave do, in the words of the case; silence is not leaving."""
    return "leave" if _cancels(result) else "fall silent"


def going(result: Leaves) -> str:
    """Say what leaving is, in the words of the case."""
    return "leaving" if _cancels(result) else "falling silent"


def stay(result: Leaves) -> str:
    """Say what those who do not leave do, in the words of the case."""
    return "stay" if _cancels(result) else "stay active"


def mean_time(result: Leaves) -> str:
    """Name the restricted mean in the words of the case."""
    return "Mean time with us" if _cancels(result) else "Mean time until the first long silence"


def start(since: str) -> str:
    """Name the day from which durations count.

    Examples
    --------
    >>> start("joining"), start("first purchase")
    ('joining', 'the first purchase')
    """
    return "joining" if since == "joining" else f"the {since}"


def once(since: str) -> str:
    """Say what those do who come only once, so far as can be told.

    Examples
    --------
    >>> once("first purchase"), once("first event")
    ('buy once', 'come once')
    """
    return "buy once" if since == "first purchase" else "come once"


def at_once(share: float, since: str, lapse: int | None) -> str:
    """Say how many in 100 left at once; empty where none did.

    Examples
    --------
    >>> at_once(0.709, "first purchase", 90)
    'After their first purchase 70.9 in 100 did not come again within 90 days.'
    >>> at_once(0.02, "joining", None)
    '2.0 in 100 left on the day they joined.'
    """
    in_100 = number(100 * share)
    if in_100 == "0.0":
        return ""
    if lapse is None:
        return f"{in_100} in 100 left on the day they joined."
    return f"After their {since} {in_100} in 100 did not come again within {span(lapse, 'day')}."


def meaning(curve: RetentionCurve) -> str:
    """Say what leaving means in the case, as a sentence."""
    if curve.leaving == "cancellation":
        return "Leaving means cancelling; whoever left counts as gone here, even if they came back."
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
    return in_words(interval.scaled(100), "")
