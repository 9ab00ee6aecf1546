"""The scorecard: one row per question and case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from sojourn.core.text import listing, plural
from sojourn.report import tiny
from sojourn.report.page import SOURCES
from sojourn.report.setting import set_page

_STUDIES = ("portrait", "quality", "retention", "trials", "portfolio", "segments", "board")
_SOURCES = tuple(SOURCES)

#: Units of shares; in a trial they are those of a difference.
_OF_HUNDRED = ("%", "members in 100")


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
        row = {**entry, "source": SOURCES[entry["source"]], "drawn": _drawn(entry)}
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


def _drawn(entry: Mapping[str, Any]) -> Markup:
    """Draw the interval of a row: a share from 0 to 100, any other number on a scale of its own from zero.

    Rows differ in horizon, outcome and currency, so none but shares have a scale in common.
    """
    if entry["value"] is None:
        return Markup("")
    value, low, high = (float(entry[key]) for key in ("value", "low", "high"))
    share = entry["study"] not in ("trials", "portfolio") and entry["unit"] in _OF_HUNDRED
    scale = (0.0, 100.0) if share else (min(low, value, 0.0), max(high, value, 0.0))
    return tiny.interval(value, low, high, scale=scale, label=entry["in_words"])


def _summary(entries: Sequence[Mapping[str, Any]]) -> str:
    """Say how many answers there are, and how many questions stay open."""
    by_status = Counter(entry["status"] for entry in entries)
    words = {
        "ok": "answered",
        "blocked": "held back by a failed check",
        "not possible": "not possible for want of data",
    }
    said = [f"{by_status[status]} {word}" for status, word in words.items() if by_status[status]]
    if said and by_status["ok"]:
        said[0] += _reserve(entries)
    cases = len({entry["case"] for entry in entries})
    return f"{plural(len(entries), 'report')} on {plural(cases, 'body', 'bodies')} of data: {listing(said)}."


def _reserve(entries: Sequence[Mapping[str, Any]]) -> str:
    """Say how many of the answers carry a warning, and how many only show the method at work."""
    answered = [entry for entry in entries if entry["status"] == "ok"]
    warned = sum(entry["warnings"] > 0 for entry in answered)
    exercises = sum("exercise" in entry["verdict"] for entry in answered)
    said = [f"{warned} with a warning"] * bool(warned)
    said += [f"{exercises} as an exercise"] * bool(exercises)
    return f" ({', '.join(said)})" if said else ""
