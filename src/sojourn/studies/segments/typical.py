"""Made-up members: the middle of each segment and how far it spreads, none of them a real one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.cells import Cells
from sojourn.core.measures import HOURS
from sojourn.core.results.segments import Features, Segmentation
from sojourn.core.results.segments_described import TypicalMembers
from sojourn.core.text import begun, count, money, number, plural
from sojourn.studies.segments.describe import shown_segments
from sojourn.studies.segments.features import features
from sojourn.studies.segments.names import kind_names, kind_words
from sojourn.studies.segments.shown import Shown

#: What the made-up members of a segment are called, by how many there are.
_CALLED: Mapping[int, tuple[str, ...]] = {
    1: ("a typical member",),
    2: ("a quieter one", "a busier one"),
    3: ("a quieter one", "a typical member", "a busier one"),
}

#: A part has at least so many times `min_group` members; more in private cases, whose steps are coarse.
_EACH = {False: 2, True: 8}

#: Digits behind the point of every number of a made-up member.
_DIGITS = 2

#: Days a month below which months are counted instead, and the fewest told; many need no decimals.
_RARELY, _NEVER, _MANY = 2 / 3, 0.02, 5.0

#: A part of the day, or a kind of event, is told where it is so large a share of what is done.
_MOSTLY = 0.5


def typical_members(source: Cells | Features, found: Segmentation) -> TypicalMembers:
    """Return up to three made-up members per segment: a typical one, a quieter and a busier one.

    Parameters
    ----------
    source : Cells or Features
        The same that `find_segments` read.
    found : Segmentation
        Its result; only members that were not used to fit are behind the made-up ones.

    Returns
    -------
    TypicalMembers
        Independent of the order of rows.

    Notes
    -----
    A segment's members are cut into thirds (halves, or not at all, where they are few) by how often they are
    active. Each number of a made-up member is the mean over the middle half of its part, feature by feature,
    so at least `min_group` members are behind each and an outlier moves none. A pattern that by chance equals
    that of real members, fewer than `min_group`, is left out.
    """
    seen = source if isinstance(source, Features) else features(source)
    now, shown = seen.now[~seen.fit], Shown.of(seen.meta, found.mass)
    currency, kinds = str(seen.meta.get("currency", "")), kind_names(seen.meta)
    rows = [
        {"segment": name, "typical": called, "n": n, "words": in_words(made, currency, kinds), **made}
        for name, inside in shown_segments(seen, found)
        for called, n, made in _made_up(now, inside, shown, found.min_group)
    ]
    why = "" if rows else f"No segment has {found.min_group} members of whom a typical one could be made."
    columns = ["segment", "typical", "n", "words", *now.columns]
    return TypicalMembers(pd.DataFrame(rows, columns=columns), found.min_group, why)


def _made_up(
    now: pd.DataFrame, inside: NDArray[np.bool_], shown: Shown, least: int
) -> Iterator[tuple[str, int, dict[str, float]]]:
    """Yield name, number of members behind it and measures of every made-up member of a segment."""
    group = now[inside].sort_values(["frequency", *now.columns], kind="stable")
    real = now.to_numpy(dtype=np.float64).round(_DIGITS)
    parts = np.array_split(
        np.arange(len(group)), min(max(len(group) // (_EACH[bool(shown.base)] * least), 1), 3)
    )
    for called, part in zip(_CALLED[len(parts)], parts, strict=True):
        rows = group.iloc[part]
        made = {name: _middle(rows[name], shown, least) for name in now.columns}
        alike = int((real == np.array(list(made.values()))).all(axis=1).sum())
        if alike == 0 or alike >= least:
            yield called, shown.size(_behind(len(rows), least)), made


def _behind(members: int, least: int) -> int:
    """Return how many members are in the middle half, or `least` where that is more."""
    return min(members, max(members // 2, least))


def _middle(values: pd.Series[float], shown: Shown, least: int) -> float:
    """Return the mean of the middle half of some members' values."""
    ordered = np.sort(values.to_numpy(dtype=np.float64))
    kept = _behind(len(ordered), least)
    first = (len(ordered) - kept) // 2
    return round(shown.middle(np.asarray(ordered[first : first + kept])), _DIGITS) + 0.0


def in_words(made: Mapping[str, float], currency: str, kinds: Sequence[str] = ()) -> str:
    """Return a made-up member in one sentence.

    Parameters
    ----------
    made : mapping
        Measures in natural units.
    currency : str
        ISO code, or empty.
    kinds : sequence of str
        Which of the measures are shares of kinds of events.

    Examples
    --------
    >>> made = {"frequency": 6.0, "recency": 3.0, "monetary": 12.0, "evening": 0.7}
    >>> in_words(made, "EUR")
    'Active on 6 days a month, last seen 3 days before the cut, spends 12 EUR a month, mostly in the evening'
    """
    said = [_often(made["frequency"]), _seen(made["recency"]), _spends(made["monetary"], currency)]
    mostly = [f"in the {part}" if part != "night" else "at night" for part in HOURS if _is_most(made, part)]
    mostly += [kind_words(kind) for kind in kinds if len(kinds) > 1 and _is_most(made, kind)]
    return begun(", ".join([*said, *(f"mostly {what}" for what in mostly)]))


def _is_most(made: Mapping[str, float], what: str) -> bool:
    return made.get(what, 0.0) >= _MOSTLY


def _often(days: float) -> str:
    if days < _NEVER:
        return "hardly ever active"
    if days < _RARELY:
        return f"active on one day in {count(round(1 / days))} months"
    told = number(days, 0 if days >= _MANY else 1).removesuffix(".0")
    return f"active on {told} {'day' if told == '1' else 'days'} a month"


def _seen(days: float) -> str:
    return (
        "seen on the day of the cut"
        if days < 0.5
        else f"last seen {plural(round(days), 'day')} before the cut"
    )


def _spends(amount: float, currency: str) -> str:
    if abs(amount) < 0.005:
        return "spends little or nothing"
    return f"spends {money(amount, currency, 0 if abs(amount) >= _MANY else 2)} a month"
