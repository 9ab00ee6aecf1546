"""One log under every definition of day-N retention."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.definitions import ENDING, LOOKS_AHEAD, Offered, dimensions
from sojourn.core.ranges import in_range
from sojourn.core.results.reconcile import Dimension, Option
from sojourn.core.results.retention_definitions import DefinitionLens, Grade
from sojourn.estimators.survival.kaplan_meier import product_limit
from sojourn.estimators.survival.risk_set import RiskSet

#: In what definitions of this lens differ.
CHOICES = ("rule", "clock", "zone", "numbering", "maturity")
#: Rules whose members end at an instant, which no clock moves.
_BY_INSTANT = ("silence", "last_sign")
COLUMNS = ["day", "grade", "definition", "caution", *CHOICES, "changes", "n", "share"]
_EFFECTS = ["day", "choice", "lowest_share", "highest_share", "spread_points"]
_MINUTES = 1440

#: What is wrong with rules that later events change.
_FUTURE = {
    "on_or_after": "Reads the future: whatever a member does after that day changes it.",
    "last_sign": "Reads the future: a pause counts as staying because the member came again later.",
}
_EVERYBODY = {
    True: "Counts members too new to be judged as kept, so it reads too high.",
    False: "Counts members too new to be seen then as lost, so it reads too low.",
}
_ONCE = "Can only rise from day to day: who came once counts for good."
_REMARKS = {"on": "Who comes on other days only is missing."}


def lens(cells: Cells, *, day: int | None = None, min_group: int = 20) -> DefinitionLens:
    """Return day-N retention under every definition that the log of a case allows.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``, with the tables ``lens`` and ``lens_exits``.
    day : int, optional
        The day N that sentences are about; where it is not counted, the nearest that is. 30 where not given.
    min_group : int
        Definitions that are about fewer members are left out; Kaplan-Meier lines end where fewer are at risk.

    Notes
    -----
    Followed long enough: of the members whose follow-up reaches as far as the rule looks, the share it keeps.
    Everybody: the same of all members. Kaplan-Meier: of the minutes (beyond two days, hours) at which members
    ended; only for rules under which members end. This page's own is the Kaplan-Meier line of silence, or of
    cancelling.

    Ages in weeks or months, and single cohorts, are asked of ``sojourn reconcile``: a row such as
    ``retained_members_month_1,2010-12,,362`` in a file of one's own numbers is rebuilt under every definition
    and answered with the one that explains it.
    """
    in_range(min_group, "min_group", ge=1)
    why, counts = _why_empty(cells), cells.tables.get("lens")
    made = []
    if not why and counts is not None:
        found = _dimensions(cells, counts)
        made = [*_counted(counts, found, cells), *_followed(cells, found, counts, min_group)]
    table = _graded(pd.DataFrame(made, columns=COLUMNS), min_group)
    if not why and table.empty:
        why = f"Fewer than {min_group} members have been followed to any of the days asked for."
    return DefinitionLens(
        case=cells.case,
        unit=cells.meta["unit"],
        leaving=cells.meta["leaving"],
        lapse=cells.meta.get("lapse"),
        time_zone=cells.meta.get("time_zone", "UTC"),
        day=_nearest(table, 30 if day is None else day),
        min_group=min_group,
        table=table,
        effects=_effects(table),
        why_empty=why,
    )


def _why_empty(cells: Cells) -> str:
    if "lens" in cells.tables:
        return ""
    if "not_possible" in cells.meta:
        return str(cells.meta["not_possible"])
    return "The data hold counts by duration only, not what members did, so there is one definition."


def _dimensions(cells: Cells, counts: pd.DataFrame) -> dict[str, Dimension]:
    """Return the choices and their options in words, as `sojourn reconcile` has them."""
    own = str(cells.meta["time_zone"])
    zones = [own, *sorted({str(zone) for zone in counts["zone"]} - {own, ""})]
    offered = Offered(zones=zones, silence_days=int(cells.meta["params"]["lapse_days"]))
    every = {dimension.name: dimension for dimension in dimensions("retained", "day", offered)}
    here = set(counts["rule"])
    kept = tuple(option for option in every["rule"].options if option.name in here)
    only = Dimension("zone", (Option(own, ""),))
    return {name: every.get(name, only) for name in CHOICES} | {"rule": Dimension("rule", kept)}


def _counted(counts: pd.DataFrame, found: Mapping[str, Dimension], cells: Cells) -> Iterator[tuple[Any, ...]]:
    """Yield a row per definition that is a plain share: of those followed long enough, and of everybody."""
    own, leaving = str(cells.meta["time_zone"]), str(cells.meta["leaving"])
    names = ["rule", "clock", "zone", "numbering"]
    for key, rows in counts.groupby(["day", *names], sort=True):
        day, *options = map(str, key)
        chosen = dict(zip(names, options, strict=True))
        chosen["zone"] = chosen["zone"] or own
        if chosen["rule"] in _BY_INSTANT:
            chosen["clock"] = "calendar"
        for maturity in ("followed", "everybody"):
            counted = rows[rows["mature"] == 1] if maturity == "followed" else rows
            members, kept = int(counted["members"].sum()), int(counted["kept"].sum())
            if members:
                said = _row({**chosen, "maturity": maturity}, found, leaving)
                yield int(day), *said, members, kept / members


def _followed(
    cells: Cells, found: Mapping[str, Dimension], counts: pd.DataFrame, min_group: int
) -> Iterator[tuple[Any, ...]]:
    """Yield a row per Kaplan-Meier line and day that it reaches."""
    if "lens_exits" not in cells.tables:
        return
    exits = cells.tables["lens_exits"]
    plain = {"clock": "calendar", "zone": str(cells.meta["time_zone"]), "numbering": "zero"}
    for rule, day in product(sorted(exits["rule"].unique()), sorted(counts["day"].unique())):
        rows = exits[exits["rule"] == rule].sort_values("minute")
        share = survival(rows, int(day) * _MINUTES, min_group)
        if share is not None:
            members = int(rows[["churned", "censored"]].to_numpy().sum())
            chosen = {**plain, "rule": rule, "maturity": "censored"}
            yield int(day), *_row(chosen, found, str(cells.meta["leaving"])), members, share


def survival(rows: pd.DataFrame, minute: int, min_group: int) -> float | None:
    """Return the product-limit estimate at a minute, or None where fewer than `min_group` are at risk.

    Parameters
    ----------
    rows : DataFrame
        ``minute`` (rising), ``churned``, ``censored``.
    """
    churned, censored = (rows[name].to_numpy() for name in ("churned", "censored"))
    at_risk = (churned + censored)[::-1].cumsum()[::-1]
    until = rows["minute"].to_numpy() <= minute
    beyond = int((churned + censored)[rows["minute"].to_numpy() >= minute].sum())
    if beyond < min_group:
        return None
    if not until.any():
        return 1.0
    return float(product_limit(RiskSet(at_risk[until], churned[until], censored[until]))[-1])


def _row(chosen: Mapping[str, str], found: Mapping[str, Dimension], leaving: str) -> tuple[Any, ...]:
    """Return what a definition is: its grade, words, caution, options and number of changes."""
    grade, caution = _judged(chosen, leaving)
    changes = sum(chosen[name] != found[name].ours for name in CHOICES if _matters(name, chosen))
    values = (chosen[name] for name in CHOICES)
    return (grade, _words(chosen, found), caution, *values, changes)


def _matters(choice: str, chosen: Mapping[str, str]) -> bool:
    """Whether a choice says anything under a rule: who ends at an instant ends on no calendar."""
    by_instant = chosen["rule"] in _BY_INSTANT or chosen["maturity"] == "censored"
    return not (choice in ("clock", "zone") and by_instant)


def _words(chosen: Mapping[str, str], found: Mapping[str, Dimension]) -> str:
    """Say a definition in the words of `sojourn.core.definitions`: its rule, and what else is not ours."""
    said = []
    for name in CHOICES:
        words = next(option.words for option in found[name].options if option.name == chosen[name])
        if name == "rule" or (chosen[name] != found[name].ours and _matters(name, chosen)):
            said.append(words.removesuffix(LOOKS_AHEAD))
    text = "; ".join(said)
    return text[0].upper() + text[1:]


def _judged(chosen: Mapping[str, str], leaving: str) -> tuple[Grade, str]:
    """Return the grade of a definition and what is to be known of it."""
    rule, wrong = chosen["rule"], []
    if rule in _FUTURE:
        wrong.append(_FUTURE[rule])
    if rule == "within":
        wrong.append(_ONCE)
    if chosen["maturity"] == "everybody":
        wrong.append(_EVERYBODY[rule in ENDING])
    if wrong:
        return "misleading", " ".join(wrong)
    own = "silence" if leaving == "silence" else "not_cancelled"
    grade: Grade = "reference" if (rule, chosen["maturity"]) == (own, "censored") else "defensible"
    return grade, _REMARKS.get(rule, "")


def _graded(table: pd.DataFrame, min_group: int) -> pd.DataFrame:
    by = ["day", "changes", *CHOICES]
    return table[table["n"] >= min_group].sort_values(by, ignore_index=True)


def _nearest(table: pd.DataFrame, day: int) -> int:
    days: Sequence[int] = sorted(table["day"].unique())
    return int(min(days, key=lambda other: (abs(other - day), other))) if days else day


def _effects(table: pd.DataFrame) -> pd.DataFrame:
    """Return what one choice alone does to the plainest definition of every day."""
    rows = []
    for day, here in table.groupby("day"):
        plain = here[here["changes"] == 0]
        if plain.empty:
            continue
        for choice in CHOICES:
            others = [name for name in CHOICES if name != choice]
            alike = here[(here["changes"] <= 1) & (here[others] == plain[others].iloc[0]).all(axis=1)]
            low, high = float(alike["share"].min()), float(alike["share"].max())
            rows.append((day, choice, low, high, high - low))
    return pd.DataFrame(rows, columns=_EFFECTS)
