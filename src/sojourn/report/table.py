"""Tables as people read them, laid out by what the columns' names say (`sojourn.core.columns`).

Bounds stand beside their value as "value (low to high)", units stand in the header, numbers to the right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from markupsafe import Markup

from sojourn.core.columns import Kind, rounded, stem
from sojourn.core.text import count, number
from sojourn.report import tiny

#: Words for names that occur often; any other name is shown with blanks for underscores.
_WORDS = {
    "n": "Members",
    "at_risk": "Still observed",
    "retained": "Still there",
    "churned": "Lost",
    "lift": "Difference from control",
    "p_value": "p-value",
    "rmst": "Mean stay",
    "k": "Groups",
    "cramers_v": "Cramér's V",
    "n_followed": "Members followed",
    "depth": "Depth of valleys",
    "null_depth": "Depth without structure",
    "null_depth_high": "Depth without structure, at most",
    "excess": "Stands out, standard deviations",
    "needed": "Needed to stand out, standard deviations",
    "jaccard": "Comes back",
    "null_jaccard": "Comes back without structure",
    "rand": "Two resamples agree",
}
_UNITS: dict[Kind, str] = {
    "share": "%",
    "probability": "%",
    "relative": "%",
    "points": "in 100",
}
#: Ends of names that say the unit.
_ENDINGS: dict[tuple[Kind, str], str] = {
    ("days", "_days"): "days",
    ("whole", "_days"): "days",
    ("whole", "_weeks"): "weeks",
    ("whole", "_months"): "months",
    ("number", "_months"): "months",
    ("number", "_in_100"): "in 100",
    ("points", "_points"): "in 100",
}
#: What members do within so many days.
_HORIZON = re.compile(r"(leave|come|back)_(\d+)")
_FACTOR: dict[Kind, float] = {"share": 100, "probability": 100, "relative": 100, "points": 100}
_CHANCES: frozenset[Kind] = frozenset({"probability", "p_value"})
_WHOLE: frozenset[Kind] = frozenset({"share", "probability"})
_SIGNED: frozenset[Kind] = frozenset({"points", "relative"})
_NONE = "–"

#: What text of more than so many letters is: the longer, the wider its column.
_LENGTHS: dict[Literal["name", "long", "sentence"], int] = {"sentence": 60, "long": 30, "name": 16}


@dataclass(frozen=True, slots=True)
class Head:
    """Header of one shown column.

    Attributes
    ----------
    text : str
        What it holds, with the unit.
    numeric, bold : bool
        Whether it is aligned right; whether it is the column that matters.
    long : str
        ``name``, ``long`` or ``sentence`` where it holds more than a word or two.
    """

    text: str
    numeric: bool
    bold: bool
    long: Literal["", "name", "long", "sentence"] = ""


@dataclass(frozen=True, slots=True)
class View:
    """A table ready to be set.

    Attributes
    ----------
    heads : list of Head
        Shown columns.
    rows : list of list of str
        Shown values; markup where a tiny interval stands beside the number.
    left_out : int
        Rows that only the CSV has.
    """

    heads: list[Head]
    rows: list[list[str]]
    left_out: int


@dataclass(frozen=True, slots=True)
class _Group:
    """A shown column: the value's position, and those of its bounds when it has any."""

    name: str
    kind: Kind
    value: int
    low: int | None = None
    high: int | None = None


def lay_out(data: Mapping[str, Any], *, bold: str = "", most: int = 400, bars: int = 12) -> View:
    """Lay out a table of a block.

    Parameters
    ----------
    data : mapping
        ``columns`` (name, kind), ``rows`` and perhaps ``currency``, from `sojourn.core.columns.as_data`.
    bold : str
        Name of the column that matters; it is shown right after the names of the rows, where a narrow screen
        still has it in sight.
    most : int
        Rows shown at most; a longer table is shown at even steps.
    bars : int
        An interval of the bold column is drawn too where there are at most so many rows.
    """
    rows = _thinned(data["rows"], most)
    groups = _in_sight(_grouped(data["columns"]), rows, bold)
    columns = [_cells(group, rows, drawn=group.name == bold and len(rows) <= bars) for group in groups]
    currency = str(data.get("currency", ""))
    heads = [Head(_header(g, currency), g.kind != "text", g.name == bold, _long(g, rows)) for g in groups]
    return View(heads, [list(row) for row in zip(*columns, strict=True)], len(data["rows"]) - len(rows))


def plain(view: View) -> str:
    """Return the table as aligned text."""
    lines = [
        [head.text for head in view.heads],
        *([cell.striptags() if isinstance(cell, Markup) else cell for cell in row] for row in view.rows),
    ]
    widths = [max(len(line[i]) for line in lines) for i in range(len(view.heads))]
    numeric = [head.numeric for head in view.heads]
    return "\n".join(
        "  ".join(
            c.rjust(w) if right else c.ljust(w) for c, w, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in lines
    )


def _thinned(rows: Sequence[Sequence[Any]], most: int) -> list[Sequence[Any]]:
    step = -(-len(rows) // most)
    return list(rows[::step]) if step > 1 else list(rows)


def _grouped(columns: Sequence[Sequence[str]]) -> list[_Group]:
    """Put pairs of bounds to their values: ``x_low`` to ``x``, a bare ``low`` to the column before it."""
    places = {name: i for i, (name, _) in enumerate(columns)}
    bounds = {
        i: end for i, (name, _) in enumerate(columns) if (end := name.rpartition("_")[2]) in ("low", "high")
    }
    paired: dict[int, dict[str, int]] = {}
    for j, end in bounds.items():
        if (owner := _owner(columns, places, j)) is not None:
            paired.setdefault(owner, {})[end] = j
    paired = {owner: ends for owner, ends in paired.items() if set(ends) == {"low", "high"}}
    beside = {j for ends in paired.values() for j in ends.values()}
    return [
        _Group(name, kind, i, **paired.get(i, {}))  # type: ignore[arg-type]
        for i, (name, kind) in enumerate(columns)
        if i not in beside
    ]


def _in_sight(groups: list[_Group], rows: Sequence[Sequence[Any]], bold: str) -> list[_Group]:
    """Put the column that matters right after what names a row: short text, a day, a rank."""
    names = 1
    while (
        names < len(groups)
        and groups[names].kind in ("text", "whole")
        and _long(groups[names], rows) in ("", "name")
    ):
        names += 1
    matters = [i for i, group in enumerate(groups) if group.name == bold and i > names]
    order = [*range(names), *matters, *(i for i in range(names, len(groups)) if i not in matters)]
    return [groups[i] for i in order if i < len(groups)]


def _long(group: _Group, rows: Sequence[Sequence[Any]]) -> Literal["", "name", "long", "sentence"]:
    longest = max((len(row[group.value] or "") for row in rows), default=0) if group.kind == "text" else 0
    return next((word for word, letters in _LENGTHS.items() if longest > letters), "")


def _owner(columns: Sequence[Sequence[str]], places: Mapping[str, int], bound: int) -> int | None:
    """Return where the value of a bound stands, if it is in the table."""
    name = columns[bound][0]
    if stem(name):
        return places.get(stem(name))
    before = [i for i in range(bound) if columns[i][0] not in ("low", "high")]
    return before[-1] if before and columns[before[-1]][1] != "text" else None


def _header(group: _Group, currency: str) -> str:
    unit = currency if group.kind == "money" else _UNITS.get(group.kind, "")
    name = group.name
    if group.kind == "probability":
        name = "chance of " + name.removeprefix("p_")
    elif group.kind == "share":
        name = _HORIZON.sub(r"\1 in \2 days", name.removesuffix("_share"))
    elif group.kind == "relative":
        name = "relative " + name.removeprefix("rel_")
    elif ending := next((end for kind, end in _ENDINGS if kind == group.kind and name.endswith(end)), ""):
        name, unit = name.removesuffix(ending), _ENDINGS[group.kind, ending]
    words = _WORDS.get(name, name.replace("_", " ").strip())
    return words[:1].upper() + words[1:] + (f", {unit}" if unit else "")


def _cells(group: _Group, rows: Sequence[Sequence[Any]], *, drawn: bool) -> list[str]:
    positions = [p for p in (group.value, group.low, group.high) if p is not None]
    digits = _digits(group.kind, [row[p] for row in rows for p in positions if row[p] is not None])
    texts = [_cell(group, row, digits) for row in rows]
    if not drawn or group.low is None or group.high is None:
        return texts
    return [_with_bar(group, row, text, _scale(group, rows)) for row, text in zip(rows, texts, strict=True)]


def _cell(group: _Group, row: Sequence[Any], digits: int) -> str:
    value = _print(row[group.value], group.kind, digits)
    if group.low is None or group.high is None or row[group.low] is None or row[group.high] is None:
        return value
    low, high = (_print(row[p], group.kind, digits, signed=False) for p in (group.low, group.high))
    return f"{value} ({low} to {high})"


def _print(value: Any, kind: Kind, digits: int, *, signed: bool = True) -> str:
    if value is None:
        return _NONE
    if kind == "text":
        return str(value)
    if kind in ("count", "whole"):
        return count(value) if kind == "count" else str(value)
    if kind in _CHANCES:
        return _chance(value * _FACTOR.get(kind, 1), _FACTOR.get(kind, 1), digits)
    return number(value * _FACTOR.get(kind, 1), digits, signed=signed and kind in _SIGNED)


def _chance(value: float, whole: float, digits: int) -> str:
    """Print a probability without ever rounding it to impossible or certain."""
    step = 10.0**-digits
    if value <= step / 2:
        return f"<{step:.{digits}f}"
    return f">{whole - step:.{digits}f}" if value >= whole - step / 2 else number(value, digits)


def _digits(kind: Kind, values: Sequence[Any]) -> int:
    """Return the decimals that matter for a column: two where all its numbers are small, else fewer."""
    if kind in ("text", "count", "whole") or not values:
        return 0
    if kind == "p_value":
        return 4
    if kind == "money":
        return 2
    sizes = [abs(rounded(v, kind)) for v in values]
    largest = max(sizes) * _FACTOR.get(kind, 1)
    if kind == "number":
        return 0 if largest >= 1000 else 1 if largest >= 10 else 2 if largest >= 1 else 3
    if kind == "probability":
        return 1
    smallest = min((size for size in sizes if size), default=0.0) * _FACTOR.get(kind, 1)
    fine = smallest < 1 if kind == "share" else largest < 2
    return 2 if fine and kind != "days" else 1


def _scale(group: _Group, rows: Sequence[Sequence[Any]]) -> tuple[float, float]:
    if group.kind in _WHOLE:
        return (0.0, 1.0)
    values = [row[p] for row in rows for p in (group.value, group.low, group.high) if p is not None]
    present = [float(v) for v in values if v is not None]
    ends = (min(present, default=0.0), max(present, default=1.0))
    return (min(ends[0], 0.0), max(ends[1], 0.0)) if group.kind in _SIGNED else ends


def _with_bar(group: _Group, row: Sequence[Any], text: str, scale: tuple[float, float]) -> str:
    value, low, high = row[group.value], row[group.low or 0], row[group.high or 0]
    if value is None or low is None or high is None:
        return text
    return Markup("{} {}").format(text, tiny.interval(value, low, high, scale=scale, label=text))
