"""The casebook: committed cells of published data, with where they come from, checked before they are used.

A pair's folder ``data/casebook/CASE/STUDY/`` holds one CSV per table and ``cells.json``, which says source,
licence, the script that made the cells, how many rows that script saw and in which column they are counted,
the type of every column and the SHA-256 of every file. `write_casebook` makes such a folder, `casebook_cells`
reads one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.errors import DataError
from sojourn.core.params import Params

#: What ``cells.json`` must say, beside `types` and `sha256`.
REQUIRED: tuple[str, ...] = ("case", "study", "source", "licence", "rows_seen", "counted_by", "script")

_WHOLE = re.compile(r"-?\d+")
_DIGITS = 9


def casebook_cells(params: Params, case: str, study: str) -> Cells:
    """Return the committed cells of a case, checked.

    Parameters
    ----------
    params : Params
        The project's parameters.
    case, study : str
        As listed in params.yaml.

    Raises
    ------
    DataError
        When they are missing or do not agree with what ``cells.json`` says of them.
    """
    folder = params.places(case).casebook / study
    where = f"casebook/{case}/{study}"
    about = _about(folder, where, case, study)
    stated = set(about["types"])
    found = {path.stem for path in folder.glob("*.csv")}
    if stated != found:
        odd = ", ".join(sorted(stated ^ found))
        raise DataError(f"{where}: tables and files differ ({odd}). Run {about['script']} again.")
    tables = {name: _table(folder, where, name, about) for name in sorted(stated)}
    _check_rows(tables, where, about)
    meta = {name: value for name, value in about.items() if name not in ("types", "sha256")}
    return Cells(case, study, tables, meta)


def write_casebook(
    folder: Path,
    tables: Mapping[str, pd.DataFrame],
    types: Mapping[str, Mapping[str, str]],
    about: Mapping[str, Any],
) -> None:
    """Write cells of published data for the casebook.

    Parameters
    ----------
    folder : Path
        ``data/casebook/CASE/STUDY``; other files in it, such as the script, stay.
    tables : mapping of str to DataFrame
        Aggregates only; rows are sorted by all columns.
    types : mapping of str to mapping
        Type of every column: ``int``, ``decimal`` or ``text``.
    about : mapping
        At least what `REQUIRED` names. `counted_by` is ``{"table": …, "column": …}``, for some rows only with
        ``"where": {column: value}``: their sum must be `rows_seen`.

    Raises
    ------
    DataError
        When something required is not stated.
    """
    for name in REQUIRED:
        _required(about, name, folder.as_posix())
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        columns = list(types[name])
        rows = table[columns].sort_values(columns, ignore_index=True)
        rows.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    sums = {name: _sha256(folder / f"{name}.csv") for name in sorted(tables)}
    said = {**about, "types": {name: dict(types[name]) for name in sorted(tables)}, "sha256": sums}
    text = json.dumps(said, indent=2, ensure_ascii=False) + "\n"
    (folder / "cells.json").write_text(text, encoding="utf-8")


def _about(folder: Path, where: str, case: str, study: str) -> dict[str, Any]:
    path = folder / "cells.json"
    if not path.is_file():
        raise DataError(
            f"{where}: there is no cells.json. Commit the folder, or take the pair out of `pairs`."
        )
    about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for name in (*REQUIRED, "types", "sha256"):
        _required(about, name, where)
    if (about["case"], about["study"]) != (case, study):
        raise DataError(f"{where}: cells.json is of {about['case']}/{about['study']}. Move the folder there.")
    return about


def _required(about: Mapping[str, Any], name: str, where: str) -> None:
    if about.get(name) in (None, ""):
        raise DataError(
            f"{where}: cells.json does not say '{name}'. Every casebook states {', '.join(REQUIRED)}."
        )


def _table(folder: Path, where: str, name: str, about: Mapping[str, Any]) -> pd.DataFrame:
    path = folder / f"{name}.csv"
    if about["sha256"].get(name) != _sha256(path):
        raise DataError(
            f"{where}/{name}.csv: its content is not what cells.json has the SHA-256 of. "
            f"Committed cells are never edited by hand; run {about['script']} again."
        )
    types = about["types"][name]
    text = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    if text.empty:
        raise DataError.no_rows(name, f"{where}/{name}.csv")
    if list(text.columns) != list(types):
        raise DataError(
            f"{where}/{name}.csv: columns are {list(text.columns)}, cells.json says {list(types)}."
        )
    return pd.DataFrame({column: _read(text[column], types[column], f"{where}/{name}") for column in types})


def _read(column: pd.Series[str], kind: str, where: str) -> pd.Series[Any]:
    if kind not in _READERS:
        known = ", ".join(_READERS)
        raise DataError(f"{where}.{column.name}: '{kind}' is not a type of cells. Known: {known}.")
    try:
        values = column.map(_READERS[kind])
    except (ValueError, InvalidOperation):
        bad = [value for value in column if not _reads(value, kind)]
        raise DataError.in_rows(
            where,
            str(column.name),
            f"not of the type '{kind}'",
            bad_rows=len(bad),
            all_rows=len(column),
            examples=[f"'{value}'" for value in bad],
            hint="Correct the script that makes the cells.",
        ) from None
    return values.astype("int64") if kind == "int" else values


def _whole(value: str) -> int:
    if not _WHOLE.fullmatch(value):
        raise ValueError(value)
    return int(value)


def _exact(value: str) -> Decimal:
    number = Decimal(value)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_DIGITS:  # not finite, or finer than cells are stored
        raise ValueError(value)
    return number


_READERS: dict[str, Callable[[str], Any]] = {"int": _whole, "decimal": _exact, "text": str}


def _reads(value: str, kind: str) -> bool:
    try:
        _READERS[kind](value)
    except (ValueError, InvalidOperation):
        return False
    return True


def _check_rows(tables: Mapping[str, pd.DataFrame], where: str, about: Mapping[str, Any]) -> None:
    counted = about["counted_by"]
    table = tables[counted["table"]]
    for column, value in counted.get("where", {}).items():
        table = table[table[column] == value]
    total = int(table[counted["column"]].sum())
    if total != about["rows_seen"]:
        raise DataError(
            f"{where}: {counted['table']}.{counted['column']} adds up to {total:,}, "
            f"but cells.json says {about['rows_seen']:,} rows were seen. Run {about['script']} again."
        )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
