"""The quality tables: what the door counted and what it found worth saying."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pyarrow as pa
from ibis import Table

from sojourn.core.columns import csv_text
from sojourn.core.legible import visible
from sojourn.data.checked import Checked
from sojourn.data.checks.finding import Finding
from sojourn.data.checks.judge import judge
from sojourn.data.checks.judged import Judged
from sojourn.data.checks.of_rows import same_member
from sojourn.data.checks.opened import open_table
from sojourn.data.checks.tallies import Tallies, counted, coverage, summed, tallies
from sojourn.data.localtime import Clock, clock_of
from sojourn.data.parquet import write_parquet
from sojourn.data.rules import is_expired, is_late
from sojourn.data.settings import Settings

_HEADER = ("table", "column", "rows", "missing", "distinct", "level", "finding", "rows_concerned")

_TEXT, _NUMBER = pa.string(), pa.int64()
#: Columns of the quality tables in Parquet, by name of the file.
SCHEMAS: dict[str, pa.Schema] = {
    "findings": pa.schema(
        {
            "table": _TEXT,
            "column": _TEXT,
            "level": _TEXT,
            "finding": _TEXT,
            "hint": _TEXT,
            "rows": _NUMBER,
            "concerned": _NUMBER,
        }
    ),
    "columns": pa.schema(
        {"table": _TEXT, "column": _TEXT, "rows": _NUMBER, "missing": _NUMBER, "distinct": _NUMBER}
    ),
    "coverage": pa.schema({"table": _TEXT, "day": pa.date32(), "rows": _NUMBER, "members": _NUMBER}),
    "lateness": pa.schema({"table": _TEXT, "days_late": _NUMBER, "rows": _NUMBER}),
    "withheld": pa.schema({"trial": _TEXT, "scheme": _TEXT, "period": _TEXT, "members": _NUMBER}),
}


def write_quality(
    engine: Any,
    folder: Path,
    tables: Sequence[Checked],
    *,
    numbers: Table,
    settings: Settings,
    said: Mapping[str, Any],
    copies: Mapping[str, int],
) -> None:
    """Write the quality tables: ``quality.csv`` for people, the same and the tallies as Parquet.

    Parameters
    ----------
    engine : ibis backend
        What reads the tidy tables.
    folder : Path
        Where the tidy tables stand.
    tables : sequence of Checked
        In the order in which they are listed.
    numbers : ibis Table
        ``member_id`` of all members.
    settings : Settings
        Of the case.
    said : mapping
        What ``tidy.json`` says of the tables.
    copies : mapping of str to int
        Exact copies of rows, by table.
    """
    clock = clock_of(said)
    judged = {}
    for checked in tables:
        name = checked.contract.name
        counted = _counted(engine, folder, checked, clock)
        judged[name] = Judged(checked, counted, settings, clock, copies.get(name, 0))
    findings = [finding for one in judged.values() for finding in judge(one)]
    findings += same_member(judged["members"], numbers)
    days = {name: one.tallies.days for name, one in judged.items()}
    late = {name: one.tallies.late for name, one in judged.items() if one.tallies.late is not None}
    _write(folder, "columns", _rows(SCHEMAS["columns"], _columns(tables)))
    _write(folder, "coverage", _stacked(SCHEMAS["coverage"], days))
    _write(folder, "lateness", _stacked(SCHEMAS["lateness"], late))
    _write(folder, "withheld", _withheld(tables, settings, clock))
    _write(folder, "findings", _rows(SCHEMAS["findings"], [astuple(finding) for finding in findings]))
    _write_csv(folder / "quality.csv", tables, findings)


def _counted(engine: Any, folder: Path, checked: Checked, clock: Clock) -> Tallies:
    """Return the tallies of a table; of events that stand by day from what was counted of each day."""
    name = checked.contract.name
    by_day = open_table(engine, folder, "activity") if name == "events" else None
    if (folder / name).is_dir() and by_day is not None:
        return tallies(checked, open_table(engine, folder, "tallies"), summed(by_day), by_day, clock)
    rows = open_table(engine, folder, name)
    days = coverage(rows, checked.contract, clock) if by_day is None else summed(by_day)
    return tallies(checked, counted(checked, rows), days, by_day, clock)


def _withheld(tables: Iterable[Checked], settings: Settings, clock: Clock) -> pa.Table:
    """Return by trial, scheme and month how many assigned members are not kept, so without outcome."""
    schema = SCHEMAS["withheld"]
    checked = next((checked for checked in tables if checked.contract.name == "assignments"), None)
    if checked is None:
        return schema.empty_table()
    rows = checked.table
    gone = rows.member.isnull() & rows.member_id.notnull()
    gone &= ~is_late(rows, "assigned_at", settings) & ~is_expired(rows, checked.contract, settings)
    month = clock.day(rows.assigned_at).cast("string").substr(0, 7)
    rows = rows.filter(gone).select("trial", "scheme", "member_id", period=month)
    keys = ["trial", "scheme", "period"]
    counted = rows.group_by(*keys).aggregate(members=rows.member_id.nunique()).order_by(keys)
    return counted.to_pyarrow().cast(schema)


def _write(folder: Path, name: str, table: pa.Table) -> None:
    write_parquet(folder / f"{name}.parquet", SCHEMAS[name], table.to_batches())


def _rows(schema: pa.Schema, rows: Iterable[Sequence[object]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [() for _ in schema]
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


def _stacked(schema: pa.Schema, tables: Mapping[str, pa.Table]) -> pa.Table:
    """Return tables below each other, the name of each in the first column."""
    named = [
        table.add_column(0, "table", pa.array([name] * table.num_rows, _TEXT)).cast(schema)
        for name, table in tables.items()
    ]
    return pa.concat_tables([schema.empty_table(), *named])


def _columns(tables: Iterable[Checked]) -> Iterator[tuple[object, ...]]:
    for checked in tables:
        counts = checked.counts
        for column, missing in counts.missing.items():
            yield checked.contract.name, column, counts.rows, missing, counts.distinct.get(column)


def _write_csv(path: Path, tables: Sequence[Checked], findings: Sequence[Finding]) -> None:
    """Write one row per column, and one per finding."""
    lines: list[list[object]] = []
    for checked in tables:
        own = [finding for finding in findings if finding.table == checked.contract.name]
        for line in [*_columns([checked]), *(_line(finding) for finding in own)]:
            lines.append([*map(_readable, line), *[""] * (len(_HEADER) - len(line))])
    path.write_text(csv_text(_HEADER, lines), encoding="utf-8", newline="")


def _line(found: Finding) -> tuple[object, ...]:
    text = f"{found.finding}. {found.hint}"
    return found.table, found.column, found.rows, "", "", found.level, text, found.concerned


def _readable(value: object) -> object:
    """Return a text without invisible characters."""
    return visible(value) if isinstance(value, str) else value
