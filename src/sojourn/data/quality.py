"""The quality tables: what the door counted and what it found worth saying."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pyarrow as pa
from ibis import Table

from sojourn.data.checked import Checked
from sojourn.data.checks.finding import Finding, of_rules
from sojourn.data.checks.tallies import coverage, lateness
from sojourn.data.localtime import clock_of
from sojourn.data.parquet import write_parquet

_HEADER = ("table", "column", "rows", "missing", "distinct", "level", "finding", "rows_concerned")
#: With one of these a spreadsheet takes a text for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

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
}


def write_quality(engine: Any, folder: Path, tables: Sequence[Checked], said: Mapping[str, Any]) -> None:
    """Write the quality tables: ``quality.csv`` for people, the same and the tallies as Parquet.

    Parameters
    ----------
    engine : ibis backend
        What reads the tidy tables.
    folder : Path
        Where the tidy tables stand.
    tables : sequence of Checked
        In the order in which they are listed.
    said : mapping
        What ``tidy.json`` says of them.
    """
    clock = clock_of(said)
    days, late = {}, {}
    for checked in tables:
        contract = checked.contract
        rows = _tidy(engine, folder, contract.name)
        days[contract.name] = coverage(rows, contract, clock).to_pyarrow()
        if "recorded_at" in checked.present:
            late[contract.name] = lateness(rows, contract).to_pyarrow()
    findings = [finding for checked in tables for finding in of_rules(checked)]
    _write(folder, "columns", _rows(SCHEMAS["columns"], _columns(tables)))
    _write(folder, "coverage", _stacked(SCHEMAS["coverage"], days))
    _write(folder, "lateness", _stacked(SCHEMAS["lateness"], late))
    _write(folder, "findings", _rows(SCHEMAS["findings"], [astuple(finding) for finding in findings]))
    _write_csv(folder / "quality.csv", tables, findings)


def _tidy(engine: Any, folder: Path, name: str) -> Table:
    """Open a tidy table that has been written, as one file or as a folder of days."""
    path = folder / name
    parts = sorted(path.glob("*.parquet")) if path.is_dir() else folder / f"{name}.parquet"
    return engine.read_parquet(parts, table_name=f"tidy_{name}")


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
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEADER)
        for checked in tables:
            own = [finding for finding in findings if finding.table == checked.contract.name]
            for line in [*_columns([checked]), *(_line(finding) for finding in own)]:
                padded = [*line, *[""] * (len(_HEADER) - len(line))]
                writer.writerow([_harmless(value) for value in padded])


def _line(found: Finding) -> tuple[object, ...]:
    text = f"{found.finding}. {found.hint}"
    return found.table, found.column, found.rows, "", "", found.level, text, found.concerned


def _harmless(value: object) -> object:
    """Return a text so that no spreadsheet takes it for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
