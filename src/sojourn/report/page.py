"""The page of one case and study: masthead, the notebook's blocks in order, foot; no script."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from markupsafe import Markup

from sojourn.core.columns import csv_text
from sojourn.core.errors import SojournError
from sojourn.core.results.headline import Headline
from sojourn.core.text import day, window
from sojourn.report.blocks import answer
from sojourn.report.glossary import terms_in
from sojourn.report.markdown import code_html, prose_html
from sojourn.report.setting import set_page

#: Largest page, with its pictures, in bytes.
MOST_BYTES = 300_000

#: How each kind of source is called on its page.
SOURCES = {
    "real": "Real data",
    "disputed": "Disputed provenance",
    "fictional": "Fictional data",
    "simulated": "Simulated data",
}
_NOTEBOOKS = "../../../notebooks"


class Item(Protocol):
    """One thing that a notebook shows.

    Attributes
    ----------
    kind : str
        ``prose`` (Markdown), ``code`` (source), ``text`` (plain output) or ``block`` (a block's data).
    content : str or mapping
        Text, or the data of a block with its ``kind``.
    """

    @property
    def kind(self) -> Literal["prose", "code", "text", "block"]: ...  # noqa: D102

    @property
    def content(self) -> Any: ...  # noqa: D102


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


@dataclass(slots=True)
class _Section:
    """A stretch of the page under one heading."""

    parts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def shows(self) -> bool:
        """Whether it shows more than prose; until then code waits for what it makes."""
        return any(part["kind"] != "prose" for part in self.parts)

    @property
    def kind(self) -> str:
        if any(part["kind"] == "answer" for part in self.parts):
            return "short"
        return "plain" if "<h2" in str(self.parts[0].get("html", "")) else "lead"


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
    page = set_page(
        "page.html.j2",
        about=about,
        case=case,
        study=study,
        question=title,
        when=_when(cells_meta),
        source=SOURCES[about["kind"]],
        sections=list(_sections(items)),
        foot=foot,
        notebooks=_NOTEBOOKS,
        files=[block["name"] for block in _blocks(items) if "table" in block],
        terms=terms_in(_words(items)),
    )
    size = len(page.encode())
    if size > MOST_BYTES:
        raise SojournError(
            f"The page {case}/{study} has {size:,} bytes; at most {MOST_BYTES:,} are allowed. Show less."
        )
    return page


def not_possible(reason: str) -> Headline:
    """Return the headline of a pair that cannot run, with the one sentence that says why."""
    return Headline(reason, "not possible", "not possible")


def render_not_possible(
    *, about: Mapping[str, Any], case: str, study: str, title: str, reason: str, foot: Foot
) -> str:
    """Return the page of a pair whose table is missing: one sentence that says so, and the foot."""
    items = not_possible_items(reason)
    return render_page(
        about=about, case=case, study=study, title=title, cells_meta={}, items=items, foot=foot
    )


@dataclass(frozen=True, slots=True)
class _Block:
    content: Mapping[str, Any]
    kind: Literal["block"] = "block"


def not_possible_items(reason: str) -> list[Item]:
    """Return what a page of a pair that cannot run shows, for `render_page` and `headline_json`."""
    block = answer(not_possible(reason))
    return [_Block({"kind": block.kind, **block.data})]


def csv_files(items: Sequence[Item]) -> dict[str, str]:
    """Return the CSV of every picture and table, by file name."""
    files = {}
    for block in _blocks(items):
        if "table" in block:
            names = [name for name, _ in block["table"]["columns"]]
            files[f"{block['name']}.csv"] = csv_text(names, block["table"]["rows"])
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
    interval = said["interval"] or dict.fromkeys(("value", "low", "high", "mass", "kind"))
    content = {
        **{key: said[key] for key in ("sentence", "verdict", "status", "unit", "detail")},
        **{key: interval[key] for key in ("value", "low", "high", "mass", "kind")},
        "as_of": cells_meta.get("as_of", ""),
        "case": case,
        "case_title": about["title"],
        "page": f"cases/{case}/{study}.html",
        "question": title,
        "source": about["kind"],
        "study": study,
    }
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


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
    if not meta.get("as_of"):
        return ""
    if meta.get("observed_from"):
        return f"Data from {window(meta['observed_from'], meta['as_of'])}"
    return f"Data as of {day(meta['as_of'])}"


def _sections(items: Sequence[Item]) -> Iterator[_Section]:
    """Split what is shown at second-level headings; code gathers behind what it made."""
    section, code = _Section(), list[str]()
    for item in items:
        if item.kind == "code":
            code.append(item.content)
            continue
        if item.kind == "prose":
            section.parts += _computed(code if section.shows else [])
            if _without_title(item.content).startswith("## ") and section.parts:
                yield section
                section = _Section()
        section.parts += _part(item)
    section.parts += _computed(code)
    if section.parts:
        yield section


def _part(item: Item) -> list[dict[str, Any]]:
    if item.kind == "prose":
        prose = _without_title(item.content)
        return [{"kind": "prose", "html": prose_html(prose, notebooks=_NOTEBOOKS)}] if prose else []
    if item.kind == "text":
        return [{"kind": "text", "text": item.content.rstrip()}]
    return [dict(item.content)]


def _without_title(prose: str) -> str:
    """Drop a first-level heading: the masthead shows it."""
    lines = [line for line in prose.strip().splitlines() if not line.startswith("# ")]
    return "\n".join(lines).strip()


def _computed(code: list[str]) -> list[dict[str, Any]]:
    """Return the gathered code as one part, and forget it."""
    if not code:
        return []
    html = Markup("\n\n").join(code_html(source) for source in code)
    code.clear()
    return [{"kind": "code", "html": html}]


def _words(items: Sequence[Item]) -> str:
    """Return all words of a page, for the links to the glossary."""
    prose = [str(item.content) for item in items if item.kind in ("prose", "text")]
    kept = [{k: v for k, v in block.items() if k not in ("svg", "table")} for block in _blocks(items)]
    names = [
        name.replace("_", " ")
        for block in _blocks(items)
        if "table" in block
        for name, _ in block["table"]["columns"]
    ]
    return " ".join([*prose, json.dumps(kept, ensure_ascii=False), *names])
