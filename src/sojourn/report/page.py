"""The page of one case and study: masthead, the notebook's blocks in order, foot; no script."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from sojourn.core.columns import csv_of
from sojourn.core.errors import SojournError
from sojourn.core.interval import Interval
from sojourn.core.privacy import base_of
from sojourn.core.results.headline import Headline
from sojourn.core.text import day, in_words, listing, number, once, window
from sojourn.report.blocks import answer, need_file_name
from sojourn.report.glossary import terms_in
from sojourn.report.sections import Item, missing_from, sections_of
from sojourn.report.setting import set_page

#: Largest page, with its pictures, in bytes.
MOST_BYTES = 300_000

#: Rows behind a picture that stand on the page itself: fewer where the page would be too large. CSV has all.
BEHIND = (40, 24, 8, 0)

#: Where the notebooks are, seen from a page.
NOTEBOOKS = "../../../notebooks"

#: Decimals of a headline's number in its file.
_DECIMALS = 3
_MONEY = re.compile(r"[A-Z]{3}\b")
#: From this amount on nothing smaller than one of the currency is told.
_LARGE = 1_000

#: How each kind of source is called on its page.
SOURCES = {
    "real": "Real data",
    "disputed": "Disputed provenance",
    "fictional": "Fictional data",
    "simulated": "Simulated data",
}


@dataclass(frozen=True, slots=True)
class Foot:
    """What a page says about how it was made: content only, never a time or a commit.

    Attributes
    ----------
    parameters : mapping of str to (default, used)
        Those that differ from the default.
    notebook, notebook_hash : str
        File name, and hash of its source.
    data, lock : str
        Fingerprint of the cells; hash of the lock file.
    versions : mapping of str to str
        Versions of the libraries that matter.
    """

    parameters: Mapping[str, tuple[Any, Any]]
    notebook: str
    notebook_hash: str
    data: str
    lock: str
    versions: Mapping[str, str] = field(default_factory=dict)


def render_page(
    *,
    about: Mapping[str, Any],
    case: str,
    study: str,
    title: str,
    cells_meta: Mapping[str, Any],
    items: Sequence[Item],
    foot: Foot,
) -> str:
    """Return the page as one self-contained HTML file.

    Parameters
    ----------
    about : mapping
        What the case says of itself (``cases.CASE.about``).
    case, study : str
        Names; CSV files are linked as ``STUDY/name.csv``.
    title : str
        The study's question.
    cells_meta : mapping
        ``as_of`` and, where known, ``observed_from`` (UTC, ISO 8601).
    items : sequence of Item
        What the notebook shows, in its order.
    foot : Foot
        How it was made.

    Raises
    ------
    SojournError
        When two tables or pictures share a name, or the page is larger than `MOST_BYTES`.
    """
    _need_distinct(items)
    content = {
        "about": about,
        "case": case,
        "study": study,
        "question": title,
        "when": _when(cells_meta),
        "meta": {"script": "", "rows_seen": 0, **cells_meta},
        "protection": protection_words(cells_meta),
        "source": SOURCES[about["kind"]],
        "sections": sections_of(items),
        "missing": missing_from(items),
        "foot": foot,
        "notebooks": NOTEBOOKS,
        "files": [block["name"] for block in _blocks(items) if "table" in block],
        "terms": terms_in(_words(items)),
    }
    page = ""
    for behind in BEHIND:
        page = set_page("page.html.j2", **content, behind=behind)
        if len(page.encode()) <= MOST_BYTES:
            break
    size = len(page.encode())
    if size > MOST_BYTES:
        raise SojournError(
            f"The page {case}/{study} has {size:,} bytes; at most {MOST_BYTES:,} are allowed. Show less."
        )
    return page


#: What tables of cells hold that a private case does not tell.
_WITHHELD = {
    "arrivals": "on which day members were assigned",
    "spend": "payments by size",
    "ratio": "amounts for each day on which members came",
    "after": "what happened week by week",
    "features": "what members were like one by one",
    "clusters": "what was assigned together",
}


def protection_words(meta: Mapping[str, Any]) -> str:
    """Return the one sentence that says how the numbers of a private case were made safe; empty elsewhere.

    Examples
    --------
    >>> protection_words({"protected": {"base": 20}})[:53]
    'Every count of members here is a multiple of 20: off '
    """
    if "protected" not in meta:
        return ""
    base, caps = base_of(meta), meta["protected"].get("caps", {})
    said = (
        f"Every count of members here is a multiple of {base}: off by at most {(base + 1) // 2}, those still "
        f"at risk along a curve by at most {2 * base}; fewer than {base} members are left out."
    )
    withheld = [words for name, words in _WITHHELD.items() if name in meta.get("withheld", ())]
    if withheld:
        said += f" Not told at all, since one member could be found in them: {listing(withheld)}."
    some = {name.replace("_", " ").replace(".", " "): cap for name, cap in caps.items() if Decimal(cap)}
    if not some:
        return said
    listed = listing([f"{cap} ({name})" for name, cap in some.items()])
    return f"{said} Sums come in steps of {base} times what one member may have in them: {listed}."


def not_possible(reason: str) -> Headline:
    """Return the headline of a pair that cannot run, with the one sentence that says why."""
    return Headline(reason, "not possible", "not possible")


@dataclass(frozen=True, slots=True)
class _Block:
    content: Mapping[str, Any]
    kind: Literal["block"] = "block"
    place: Literal["", "before", "after"] = ""


def not_possible_items(reason: str) -> list[Item]:
    """Return what a page of a pair that cannot run shows, for `render_page` and `headline_json`."""
    block = answer(not_possible(reason))
    return [_Block({"kind": block.kind, **block.data})]


def csv_files(items: Sequence[Item]) -> dict[str, str]:
    """Return the CSV of every picture and table, by file name."""
    files = {}
    for block in _blocks(items):
        if "table" in block:
            files[f"{block['name']}.csv"] = csv_of(block["table"])
    return dict(sorted(files.items()))


def handed_out(items: Sequence[Item]) -> dict[str, str]:
    """Return the files that a notebook hands out, by name.

    Raises
    ------
    SojournError
        When two share a name, or a name is none that a report takes (`sojourn.report.blocks.files`).
    """
    files: dict[str, str] = {}
    for file in (file for block in _blocks(items) for file in block.get("files", ())):
        need_file_name(file["name"])
        if file["name"] in files:
            raise SojournError(f"One notebook hands out two files named '{file['name']}'.")
        files[file["name"]] = file["text"]
    return dict(sorted(files.items()))


def headline_json(
    items: Sequence[Item],
    *,
    about: Mapping[str, Any],
    case: str,
    study: str,
    title: str,
    cells_meta: Mapping[str, Any],
) -> str:
    """Return the headline of a page as JSON with sorted keys: what the index and the metrics show.

    Raises
    ------
    SojournError
        When the notebook does not show exactly one answer.
    """
    answers = [block for block in _blocks(items) if block["kind"] == "answer"]
    if len(answers) != 1:
        raise SojournError(
            f"A notebook shows exactly one answer (sj.answer), {case}/{study} shows {len(answers)}."
        )
    said = answers[0]
    content = {
        **{key: said[key] for key in ("sentence", "verdict", "status", "unit", "detail")},
        **_interval(said["interval"], said["unit"]),
        "warnings": sum(check["verdict"] == "warn" for check in _checks(items)),
        "as_of": cells_meta.get("as_of", ""),
        "as_of_words": _when({**cells_meta, "observed_from": ""}),
        "case": case,
        "case_title": about["title"],
        "page": f"cases/{case}/{study}.html",
        "question": title,
        "source": about["kind"],
        "study": study,
    }
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _interval(interval: Mapping[str, Any] | None, unit: str) -> dict[str, Any]:
    """Return the number of a headline as a file holds it, and the words made of it before it was rounded."""
    if interval is None:
        return {**dict.fromkeys(("value", "low", "high", "mass", "kind")), "in_words": "", "in_short": ""}
    digits = _digits(Interval(**interval), unit)
    words = in_words(Interval(**interval), unit, digits)
    value, low, high = (number(interval[key], digits) for key in ("value", "low", "high"))
    published = {key: float(once(interval[key], _DECIMALS)) + 0.0 for key in ("value", "low", "high")}
    return {
        **interval,
        **published,
        "in_words": words,
        "in_short": f"{value} ({low} to {high}) {unit}".rstrip(),
    }


def _digits(interval: Interval, unit: str) -> int:
    """Return decimals of a headline's number: none of whole members, large amounts and what is foretold."""
    if _MONEY.match(unit):
        return 0 if max(abs(interval.low), abs(interval.value), abs(interval.high)) >= _LARGE else 2
    whole = "members" in unit and "in 100" not in unit
    return 0 if whole or interval.kind == "prediction" else 1


def _checks(items: Sequence[Item]) -> Iterator[Mapping[str, Any]]:
    for block in _blocks(items):
        yield from block.get("checks", ())


def _blocks(items: Sequence[Item]) -> Iterator[Mapping[str, Any]]:
    return (item.content for item in items if item.kind == "block")


def _need_distinct(items: Sequence[Item]) -> None:
    names = [block["name"] for block in _blocks(items) if "table" in block]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SojournError(
            f"Two pictures or tables of one notebook are both named '{twice[0]}'; CSV names are distinct."
        )


def _when(meta: Mapping[str, Any]) -> str:
    """Say from when to when the data reaches, in days of the case's own time zone."""
    if not meta.get("as_of"):
        return "The date of the data is not stated."
    zone = meta.get("time_zone", "UTC")
    if meta.get("observed_from"):
        return f"Data from {window(meta['observed_from'], meta['as_of'], zone)}."
    return f"Data as of {day(meta['as_of'], zone)}."


def _words(items: Sequence[Item]) -> str:
    """Return all words of a page, for the links to the glossary."""
    prose = [str(item.content) for item in items if item.kind in ("prose", "text")]
    dumb = ("svg", "table", "files")
    kept = [{k: v for k, v in block.items() if k not in dumb} for block in _blocks(items)]
    names = [
        name.replace("_", " ")
        for block in _blocks(items)
        if "table" in block
        for name, _ in block["table"]["columns"]
    ]
    return " ".join([*prose, json.dumps(kept, ensure_ascii=False), *names])
