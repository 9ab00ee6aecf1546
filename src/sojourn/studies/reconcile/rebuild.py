"""One number under one definition, from counts: sums over the members that the definition keeps."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence

import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.definitions import ENDING
from sojourn.core.results.reconcile import FOLLOWED, Kpi, Reading
from sojourn.estimators.survival.kaplan_meier import product_limit
from sojourn.estimators.survival.risk_set import RiskSet

#: Minutes of a unit where members are followed by the minute.
_MINUTES = {"day": 1440, "week": 7 * 1440, "month": 30 * 1440}
_RULE = ("zone", "rule", "clock", "numbering")
_DONE = ("selection", "known")

#: Our own option where a dimension is not offered.
_OURS = {
    "clock": "calendar",
    "numbering": "zero",
    "maturity": "followed",
    "selection": "any",
    "known": "now",
    "window": "calendar",
    "repeats": "in",
    "start": "joined",
    "moment": "end",
    "base": "start",
    "leavers": "all",
}


class Counts:
    """Counts of one table about one number, by key; what members are flagged as is summed over when read."""

    def __init__(self, rows: pd.DataFrame, keys: Sequence[str], sums: Sequence[str]) -> None:
        self._flags = [name for name in ("bot", "old", "ever", "stayed", "mature") if name in rows.columns]
        self._sums = list(sums)
        self._found: dict[tuple[str, ...], list[tuple[dict[str, int], tuple[int, ...]]]] = {}
        names = [*keys, *self._flags, *self._sums]
        for row in rows[names].itertuples(index=False):
            values = dict(zip(names, row, strict=True))
            key = tuple(str(values[name]) for name in keys)
            flags = {name: int(values[name]) for name in self._flags}
            self._found.setdefault(key, []).append((flags, tuple(int(values[name]) for name in self._sums)))

    def total(self, key: Sequence[str], keep: Mapping[str, int]) -> tuple[int, ...]:
        """Return the sums over members whose flags are as `keep` says."""
        total = [0] * len(self._sums)
        for flags, values in self._found.get(tuple(key), ()):
            if all(flags.get(name, wanted) == wanted for name, wanted in keep.items()):
                total = [old + new for old, new in zip(total, values, strict=True)]
        return tuple(total)


class Rebuilt:
    """One number of a company, rebuilt under any definition.

    Parameters
    ----------
    cells : Cells
        Of `reconcile`.
    kpi : Kpi
        The number.
    """

    def __init__(self, cells: Cells, kpi: Kpi) -> None:
        self._kpi = kpi
        self._ours = {
            **_OURS, "zone": cells.meta["zones"][0], "rule": "on" if cells.meta["events"] else "not_cancelled"
        }  # fmt: skip
        self._ended: pd.DataFrame | None = None
        self._counts: dict[str, Counts] = {}
        if kpi.kind in FOLLOWED:
            about = {"cohort": kpi.period, "unit": kpi.unit, "n": kpi.n}
            self._add(cells, "followed", about, _RULE, ("members", "kept"))
            self._add(cells, "returned", about, (*_RULE, *_DONE), ("members",))
            self._ended = _rows(cells, "exits", kpi, {"cohort": kpi.period, "unit": kpi.unit})
        else:
            about = {"period": kpi.period, "unit": kpi.unit}
            keys = ("zone", "window", *_DONE, "repeats")
            self._add(cells, "active", about, keys, ("members", "days", "events"))
            self._add(cells, "moved", about, ("zone", "what"), ("members",))

    def _add(
        self, cells: Cells, table: str, about: Mapping[str, object], keys: Sequence[str], sums: Sequence[str]
    ) -> None:
        rows = _rows(cells, table, self._kpi, about)
        if rows is not None:
            self._counts[table] = Counts(rows, keys, sums)

    def under(self, chosen: Mapping[str, str]) -> Reading | None:
        """Return the number under a definition, or None where it is not defined.

        Parameters
        ----------
        chosen : mapping
            Option of every dimension (`Definition.chosen`).
        """
        chosen = {**self._ours, **chosen}
        if self._kpi.kind in FOLLOWED:
            return self._retained(chosen)
        if self._kpi.kind in ("active_members", "stickiness", "events"):
            return self._active(chosen)
        return self._moved(chosen)

    def _retained(self, chosen: Mapping[str, str]) -> Reading | None:
        keep = _keep(chosen)
        if chosen["maturity"] == "censored":
            return self._censored(chosen["rule"], keep)
        if chosen["maturity"] == "followed":
            keep |= {"mature": 1}
        key = [chosen[name] for name in _RULE]
        members, kept = self._counts["followed"].total(key, keep)
        if chosen["rule"] not in ENDING:
            (kept,) = self._counts["returned"].total([*key, *(chosen[name] for name in _DONE)], keep)
        if not members:
            return None
        return (
            Reading(kept, members)
            if self._kpi.kind == "retained_members"
            else Reading(kept / members, members)
        )

    def _censored(self, rule: str, keep: Mapping[str, int]) -> Reading | None:
        """Return the Kaplan-Meier estimate at the age, members leaving the risk set by the minute."""
        rows, at = self._ended, self._kpi.n * _MINUTES[self._kpi.unit]
        if rows is None or self._kpi.kind != "retained":
            return None
        rows = rows[rows["rule"] == rule]
        for name, wanted in keep.items():
            rows = rows[rows[name] == wanted]
        members = int(rows["members"].sum())
        if not members or int(rows["minute"].max()) < at:
            return None
        return Reading(float(_survival(rows, at)), members)

    def _active(self, chosen: Mapping[str, str]) -> Reading | None:
        if "active" not in self._counts:
            return None
        key = [chosen[name] for name in ("zone", "window", *_DONE, "repeats")]
        members, days, events = self._counts["active"].total(key, _keep(chosen))
        if self._kpi.kind == "active_members":
            return Reading(members, members)
        if self._kpi.kind == "events":
            return Reading(events, members)
        length = _length(self._kpi.period, chosen["window"])
        return Reading(days / length / members, members) if members else None

    def _moved(self, chosen: Mapping[str, str]) -> Reading | None:
        keep = _keep(chosen)

        def counted(what: str) -> int:
            return self._counts["moved"].total([chosen["zone"], what], keep)[0]

        kind = self._kpi.kind
        if kind != "churn_rate":
            what = {
                "new_members": chosen["start"],
                "churned_members": "left",
                "members": f"at_{chosen['moment']}",
            }[kind]
            return Reading(counted(what), counted(what))
        start, end, joined = counted("at_start"), counted("at_end"), counted("joined")
        bases = {"start": start, "average": (start + end) / 2, "end": end, "start_and_new": start + joined}
        base = bases[chosen["base"]]
        leavers = counted("left" if chosen["leavers"] == "all" else "left_of_start")
        return Reading(leavers / base, int(base)) if base else None


def _keep(chosen: Mapping[str, str]) -> dict[str, int]:
    """Return the flags of the members that a definition keeps."""
    keep = {}
    if chosen.get("bots") == "out":
        keep["bot"] = 0
    if chosen.get("old") == "out":
        keep["old"] = 0
    if chosen.get("denominator", "all") != "all":
        keep[chosen["denominator"]] = 1
    return keep


def _rows(cells: Cells, table: str, kpi: Kpi, about: Mapping[str, object]) -> pd.DataFrame | None:
    if table not in cells.tables:
        return None
    rows = cells.tables[table]  # whole numbers and text: nothing to convert
    for name, wanted in {**about, "by": kpi.by, "group": kpi.group}.items():
        rows = rows[rows[name] == wanted]
    return rows


def _survival(rows: pd.DataFrame, at: int) -> float:
    """Return the product-limit estimate at a minute."""
    churned = rows["members"] * rows["churned"]
    by_minute = (
        rows.assign(gone=churned, lost=rows["members"] - churned).groupby("minute")[["gone", "lost"]].sum()
    )
    at_risk = by_minute.sum(axis=1).to_numpy()[::-1].cumsum()[::-1]
    until = by_minute.index.to_numpy() <= at
    gone, lost = (by_minute[name].to_numpy()[until] for name in ("gone", "lost"))
    risk = RiskSet(at_risk[until], gone, lost)
    return float(product_limit(risk)[-1]) if len(risk) else 1.0


def _length(month: str, window: str) -> int:
    """Return the number of days of a window of a month."""
    if window.startswith("trailing_"):
        return int(window.removeprefix("trailing_"))
    return monthrange(int(month[:4]), int(month[5:7]))[1]
