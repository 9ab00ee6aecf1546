"""Words and page of a reconciliation: the answer first, then each kind of number and what lies behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from sojourn.core.columns import csv_of, csv_text
from sojourn.core.privacy import coarse, nearest, to_multiples
from sojourn.core.results.block import Block
from sojourn.core.results.figures import KeyFigure
from sojourn.core.results.headline import Headline
from sojourn.core.results.reconcile import FOLLOWED, SHARES, Definition, Family, Kind, Kpi, Reconciliation
from sojourn.core.text import count, listing, number, once, plural
from sojourn.report import blocks
from sojourn.report.page import BEHIND, SOURCES
from sojourn.report.sections import Item, missing_from, sections_of
from sojourn.report.setting import set_page

QUESTION = "Why do these numbers differ from ours?"
_COLUMNS = ("row", "kpi", "period", "group", "theirs", "ours", "gap", "rebuilt", "status", "explanation")
_SHOWN_RIVALS, _SHOWN_DIFFERENCES = 6, 3
_ORDER = ("explained", "agrees", "ambiguous", "not explained", "too few", "cannot be computed")
_WORDS = {
    "explained": "explained",
    "agrees": "agree as they stand",
    "ambiguous": "fit more than one definition",
    "not explained": "not explained",
    "too few": "of too few members to be shown",
    "cannot be computed": "cannot be computed from these tables",
}


#: How many numbers came out in which way, as part of a sentence: of one number, and of several.
_SAID = {
    "agrees": ("agrees as it stands", "agree as they stand"),
    "ambiguous": ("fits more than one definition", "fit more than one definition"),
    "not explained": ("is not explained", "are not explained"),
    "too few": ("is of too few members to be shown", "are of too few members to be shown"),
    "cannot be computed": ("cannot be computed", "cannot be computed"),
}


def headline_reconcile(result: Reconciliation) -> Headline:
    """Return the answer: how many numbers are explained, and by which differences."""
    counts, total = result.counts, len(result.table)
    explained = counts.get("explained", 0)
    rest = [f"{count(n)} {_SAID[name][n > 1]}" for name in _ORDER[1:] if (n := counts.get(name, 0))]
    detail = f"Of all {total}, {listing(rest)}." if rest and explained else ""
    if explained:
        words = _differences(result)
        many = plural(len(words), "difference")
        are = f"{explained} of {total} numbers {'are' if explained > 1 else 'is'}"
        more = f"; and {len(words) - _SHOWN_DIFFERENCES} more" if len(words) > _SHOWN_DIFFERENCES else ""
        said = _chain(words[:_SHOWN_DIFFERENCES])
        sentence = f"{are} explained by {many} in how their makers count: they {said}{more}."
        return Headline(
            sentence, "explained" if explained == total else "partly explained", "ok", detail=detail
        )
    if counts.get("agrees", 0) == total:
        return Headline(f"All {total} numbers agree with ours as they stand.", "agrees", "ok")
    found = listing(rest)
    verdict = "ambiguous" if counts.get("ambiguous") else "not explained"
    return Headline(f"No gap is explained for certain: of {total} numbers, {found}.", verdict, "ok")


def _differences(result: Reconciliation) -> list[str]:
    found = [f for f in result.families if f.status == "explained"]
    return list(dict.fromkeys(word for family in found for word in family.best.words))


def _chain(words: Sequence[str]) -> str:
    return (
        "; they ".join(words)
        if any(" and " in word or "," in word for word in words)
        else listing(list(words))
    )


def say_family(family: Family, min_group: int) -> str:
    """Say what lies behind the numbers of one kind."""
    names = listing(list(dict.fromkeys(f"`{kpi.name}`{_by(kpi)}" for kpi in family.kpis)))
    total, fits = len(family.kpis), len(family.explains)
    of = f"{fits} of {plural(total, 'row')}" if total > 1 else "its one row"
    if family.status == "agrees":
        return f"{names}: our own definition gives {of}."
    if family.status == "explained":
        return f"{names}: they {_chain(family.best.words)}. This explains {of}."
    if family.status == "ambiguous":
        return f"{names}: {_ambiguous(family, of)}"
    if family.status == "not explained":
        near = (
            f"The nearest: they {_chain(family.best.words)}." if family.best.words else "Ours is the nearest."
        )
        what = "more than half of the rows" if total > 1 else "it"
        tried = f"none of {count(family.tried)} other definitions explains {what}"
        return f"{names}: cannot be explained; {tried}. {near}"
    if family.status == "too few":
        return f"{names}: of fewer than {min_group} members, so nothing is shown."
    return f"{names}: the case has no rows from which it could be computed."


def _by(kpi: Kpi) -> str:
    """Return by which unit a number of a period is counted."""
    return "" if kpi.n or kpi.kind == "members" else f" by {kpi.unit}"


def _ambiguous(family: Family, of: str) -> str:
    others = [*family.same, *family.rivals]
    first = f"they may {_chain(family.best.words)}, which gives {of}"
    if not others:
        return (
            f"{first}, but so might an accident: of {count(family.tried)} definitions "
            f"{number(family.by_chance, 2)} would fit as well by chance. Give more rows or more decimals."
        )
    listed = "; or ".join(_chain(other.words) for other in others[:_SHOWN_RIVALS])
    more = f"; and {len(others) - _SHOWN_RIVALS} more" if len(others) > _SHOWN_RIVALS else ""
    return f"{first}; just as well they may {listed}{more}. These rows cannot tell them apart."


def limits(result: Reconciliation, *, private: bool) -> list[str]:
    """Say what was tried, and what no definition can tell here."""
    facts = result.facts
    zones = listing(list(facts["zones"]))
    said = [f"Tried: every single difference from our definition and every pair. Zones: {zones}."]
    if facts["bots_above"]:
        said.append(_bots(facts["bots_above"], private=private))
    members = facts["left_out"].get("members", 0)
    if members:
        many = plural(members, "member") if not private else "Some members"
        said.append(
            f"{many} did not agree to analysis or joined too late and stayed before the door: "
            "a number that counts them cannot be rebuilt."
        )
    if any(kpi.kind in FOLLOWED for family in result.families for kpi in family.kpis):
        said.append(
            "Where a definition looks ahead, a number of the past changes as new events come in: "
            "earlier and later months cannot be compared by it."
        )
    if private:
        said.append(
            "That a number agrees or is explained says that the company's own number is exact: "
            "show this page only to those who may see that file."
        )
    return said


def _bots(above: Mapping[str, float], *, private: bool) -> str:
    """Say who is taken for a bot."""
    when = {"busiest": "on one day", "total": "in all"}
    if private:
        return "A member is taken for a bot as the door does it: by far more events than members have."
    limits = " or ".join(
        f"more than {count(round(above[name]))} {when[name]}" for name in when if name in above
    )
    return f"A member is taken for a bot by the number of events, {limits}: the rule of the door."


def reconcile_csv(result: Reconciliation, *, private: bool) -> str:
    """Return all numbers as CSV, a row per number of the file."""
    explanations = _explanations(result)
    rows = []
    for found in _shown(result, private=private).to_dict("records"):
        row = {str(name): value for name, value in found.items()}
        share = _kpi(result, row["row"]).kind in SHARES
        numbers = {name: _digits(row[name], share=share) for name in ("theirs", "ours", "gap", "rebuilt")}
        whole: dict[str, Any] = {**row, **numbers, "explanation": explanations[row["row"]]}
        rows.append([whole[name] for name in _COLUMNS])
    return csv_text(_COLUMNS, rows)


def reconcile_tables(result: Reconciliation, *, private: bool) -> dict[str, str]:
    """Return the CSV of each table of the page, by its path beside the page."""
    tables = _tables(result, private=private)
    return {f"reconcile/{block.data['name']}.csv": csv_of(block.data["table"]) for block in tables}


def _digits(value: float, *, share: bool) -> Any:
    if value != value:  # noqa: PLR0124 (missing)
        return None
    return float(once(value, 6)) + 0.0 if share else int(once(value, 0))


def _explanations(result: Reconciliation) -> dict[int, str]:
    said = {}
    statuses = dict(zip(result.table["row"], result.table["status"], strict=True))
    for family in result.families:
        for kpi in family.kpis:
            words = _listed([family.best]) if statuses[kpi.row] in ("explained", "ambiguous") else ""
            said[kpi.row] = words or _WORDS[statuses[kpi.row]]
    return said


def _listed(found: Sequence[Definition]) -> str:
    return "; ".join(f"they {_chain(definition.words)}" for definition in found if definition.words)


def _kpi(result: Reconciliation, row: int) -> Kpi:
    return next(kpi for family in result.families for kpi in family.kpis if kpi.row == row)


def _shown(result: Reconciliation, *, private: bool) -> pd.DataFrame:
    """Return the table as it may be shown: of a private case in whole multiples of ``min_group``."""
    table = result.table.copy()
    if not private:
        return table
    for at, found in table.iterrows():
        kind = _kpi(result, int(found["row"])).kind
        for name in ("ours", "rebuilt"):
            value = float(found[name])
            if not np.isnan(value):
                table.loc[at, name] = _coarse(kind, value, int(found["members"]), result.min_group)
    table["gap"] = table["theirs"] - table["ours"]
    return table


def _coarse(kind: Kind, value: float, members: int, base: int) -> float:
    """Return a count as a multiple of `base`, a share as one multiple of another."""
    if kind not in SHARES:
        exact = int(once(value, 0))
        return float(coarse(exact, base)) if kind == "events" else float(to_multiples(exact, base))
    of = int(to_multiples(members, base))
    return int(nearest(int(once(value * members, 0)), base)) / of if of else np.nan


def reconcile_blocks(result: Reconciliation, *, private: bool) -> list[tuple[str, list[Block]]]:
    """Return what a page shows, by heading; the first stretch has none."""
    counts = result.counts
    figures = [
        KeyFigure(_WORDS[name][:1].upper() + _WORDS[name][1:], count(counts[name]), "counted, no interval")
        for name in _ORDER
        if counts.get(name)
    ][:5]
    families = [blocks.note(say_family(family, result.min_group)) for family in result.families]
    return [
        ("", [blocks.answer(headline_reconcile(result)), blocks.key_figures(figures)]),
        ("What lies behind each number?", families),
        ("What are the numbers?", _tables(result, private=private)),
        ("What could be wrong?", [blocks.note(line) for line in limits(result, private=private)]),
    ]


def _tables(result: Reconciliation, *, private: bool) -> list[Block]:
    shown = _shown(result, private=private)
    share = shown["row"].map(lambda row: _kpi(result, row).kind in SHARES)
    note = "Rebuilt: our tables under the definition found, or under the nearest one."
    note += f" Ours in whole multiples of {result.min_group} members." if private else ""
    made = []
    for name, title, rows in (("shares", "Shares", shown[share]), ("counts", "Counts", shown[~share])):
        if len(rows):
            frame = _columns(rows, shares=name == "shares")
            made.append(blocks.table(frame, name=name, title=title, note=note, bold="outcome"))
    return made


def _columns(rows: pd.DataFrame, *, shares: bool) -> pd.DataFrame:
    """Return the columns of a table of the page; without groups where there are none."""
    numbers = rows[["theirs", "ours", "gap", "rebuilt"]].astype(float)
    if shares:
        numbers.columns = pd.Index(["their_share", "our_share", "gap_points", "rebuilt_share"])
    else:
        numbers = numbers.round().astype("Int64")
    named = rows[["kpi", "period", "group"]].rename(columns={"kpi": "number"})
    if (named["group"] == "all").all():
        named = named.drop(columns="group")
    return pd.concat([named, numbers, rows["status"].rename("outcome")], axis=1)


@dataclass(frozen=True, slots=True)
class _Shown:
    content: Any
    kind: Literal["prose", "block"]
    place: Literal["", "before", "after"] = ""


def reconcile_text(result: Reconciliation, *, private: bool) -> str:
    """Return the whole in plain text, the answer first."""
    lines = []
    for heading, shown in reconcile_blocks(result, private=private):
        lines += [f"\n{heading}"] if heading else []
        lines += [block.text for block in shown if block.kind != "figures"]
    return "\n".join(lines) + "\n"


def render_reconcile(
    result: Reconciliation, *, about: Mapping[str, Any], file: str, as_of: str, private: bool
) -> str:
    """Return the page as one self-contained HTML file.

    Parameters
    ----------
    about : mapping
        What the case says of itself.
    file : str
        Name of the company's file.
    as_of : str
        Day of the data, in words.
    private : bool
        Whether numbers are shown as a private case may show them.
    """
    items: list[Item] = []
    for heading, shown in reconcile_blocks(result, private=private):
        items += [_Shown(f"## {heading}", "prose")] if heading else []
        items += [_Shown({"kind": block.kind, **block.data}, "block") for block in shown]
    return set_page(
        "reconcile.html.j2",
        about=about,
        case=result.case,
        study="reconcile",
        question=QUESTION,
        when=f"Data as of {as_of}.",
        source=SOURCES[about["kind"]],
        sections=sections_of(items),
        missing=missing_from(items),
        behind=BEHIND[0],
        file=file,
    )
