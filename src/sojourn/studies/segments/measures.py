"""What is told of members, in natural units: each a quotient of two whole numbers that were counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sojourn.core.measures import HOURS, MONTH, Counting, Measure
from sojourn.studies.segments.names import feature_words

#: Digits behind the point of money.
_CENTS = 4


def measures_of(counting: Counting, kinds: Sequence[str]) -> tuple[Measure, ...]:
    """Return what can be told of members whose doings are counted so.

    Parameters
    ----------
    counting : Counting
        What was counted.
    kinds : sequence of str
        Names of its kinds of events; a single kind has no share.

    Returns
    -------
    tuple of Measure
        Recency, frequency and monetary value first.
    """
    numbered = enumerate(kinds, start=1) if len(kinds) > 1 else ()
    shares = [_share(kind, f"kind_{i}", "events") for i, kind in numbered]
    families = [one for name in counting.families for one in _OF_FAMILIES[name]]
    return (*_ALWAYS, *families, *shares)


def _measure(
    name: str, plus: str, *, minus: str = "", times: int = 1, over: str = "", decimals: int = 0
) -> Measure:
    return Measure(name, feature_words(name), (plus,), (minus,) if minus else (), times, over, decimals)


def _a_month(name: str, column: str, *, decimals: int = 0) -> Measure:
    return _measure(name, column, times=MONTH, over="observed_days", decimals=decimals)


def _share(name: str, column: str, over: str) -> Measure:
    return _measure(name, column, over=over)


#: What can be told in every case.
_ALWAYS: tuple[Measure, ...] = (
    _measure("recency", "recency_days"),
    _a_month("frequency", "active_days"),
    _a_month("monetary", "value", decimals=_CENTS),
    _measure("intensity", "events", over="active_days"),
    _measure("trend", "active_last", minus="active_before"),
    _measure("breadth", "kinds"),
    _measure("tenure", "tenure_days"),
    _share("weekend", "weekend_days", "active_days"),
)

#: What can be told where a family was counted.
_OF_FAMILIES: Mapping[str, tuple[Measure, ...]] = {
    "hours": tuple(_share(part, part, "events") for part in HOURS),
    "features": (_measure("features", "features"),),
    "categories": (_measure("categories", "categories"),),
    "social": (_a_month("social", "social"),),
    "referral": (_measure("referral", "referred"),),
    "messages": (_share("messages", "opened", "sent"),),
    "clicks": (_share("clicks", "clicked", "opened"),),
    "points": (
        _a_month("earning", "points_earned"),
        _a_month("redeeming", "points_redeemed"),
        _measure("saving", "points_balance"),
    ),
}
