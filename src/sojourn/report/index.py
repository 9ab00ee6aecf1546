"""The scorecard: one row per question and case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from sojourn.core.interval import Interval
from sojourn.core.text import bounds, listing, number, plural
from sojourn.report import tiny
from sojourn.report.page import SOURCES
from sojourn.report.setting import set_page

_STUDIES = ("retention", "trials", "segments")
_SOURCES = tuple(SOURCES)


def render_index(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return the index as one self-contained HTML page.

    Parameters
    ----------
    entries : sequence of mapping
        What `sojourn.report.page.headline_json` wrote, one per pair; their order does not matter.
    """
    ordered = sorted(entries, key=_place)
    groups: dict[str, list[dict[str, Any]]] = {}
    for entry in ordered:
        row = {**entry, "source": SOURCES[entry["source"]], "drawn": _drawn(entry, ordered)}
        groups.setdefault(str(entry["question"]), []).append(row)
    return set_page("index.html.j2", groups=groups, summary=_summary(ordered))


def _place(entry: Mapping[str, Any]) -> tuple[int, str, int, str]:
    """Order by question, then real data before made-up data, then title."""
    study = entry["study"]
    return (
        _STUDIES.index(study) if study in _STUDIES else len(_STUDIES),
        entry["question"],
        _SOURCES.index(entry["source"]),
        entry["case_title"],
    )


def _drawn(entry: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> Markup:
    """Draw the interval of a row on the scale of all rows with the same question and unit."""
    if entry["value"] is None:
        return Markup("")
    same = [o for o in others if o["value"] is not None and _unit(o) == _unit(entry)]
    ends = [float(o[key]) for o in same for key in ("low", "high", "value")]
    interval = Interval(entry["value"], entry["low"], entry["high"], mass=entry["mass"], kind=entry["kind"])
    label = f"{number(interval.value)} {entry['unit']} ({bounds(interval)})"
    scale = (min([*ends, 0.0]), max([*ends, 0.0]))
    return tiny.interval(interval.value, interval.low, interval.high, scale=scale, label=label)


def _unit(entry: Mapping[str, Any]) -> tuple[str, str]:
    return (entry["question"], entry["unit"])


def _summary(entries: Sequence[Mapping[str, Any]]) -> str:
    """Say how many answers there are, and how many questions stay open."""
    by_status = Counter(entry["status"] for entry in entries)
    words = {
        "ok": "answered",
        "blocked": "held back by a failed check",
        "not possible": "not possible for want of data",
    }
    said = [f"{by_status[status]} {word}" for status, word in words.items() if by_status[status]]
    cases = len({entry["case"] for entry in entries})
    return f"{plural(len(entries), 'report')} on {plural(cases, 'body', 'bodies')} of data: {listing(said)}."
