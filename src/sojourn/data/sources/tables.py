"""Raw tables of a case, from wherever its source keeps them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from ibis import Table

from sojourn.core.errors import DataError, ParameterError
from sojourn.core.project import root
from sojourn.core.schema import CONTRACT
from sojourn.data.checked import Raw
from sojourn.data.parts import rows_of
from sojourn.data.reading import open_raw
from sojourn.data.settings import Settings

#: Name of the file in which a simulated world says what is so.
TRUTH = "truth"


def raw_tables(
    engine: Any,
    settings: Settings,
    folder: Path,
    raw: Mapping[str, Path] | None,
    *,
    only: Mapping[str, Collection[str]] | None = None,
) -> dict[str, Raw]:
    """Return the raw tables of a case by name.

    Parameters
    ----------
    engine : ibis backend
        What reads them.
    settings : Settings
        Of the case.
    folder : Path
        Where the case's raw tables are made, for source ``world``.
    raw : mapping of str to Path or None
        Files, or folders of Parquet files, that take the place of the source; `truth` among them is no table
        and is passed over. Tables of a world that have no rows are left out.
    only : mapping of str to collection of str, optional
        Of tables that are folders: names of the parts that are read; without any the table is not opened.

    Raises
    ------
    ParameterError
        When a table is not one of the contract.
    DataError
        When there are neither members nor events, or a file cannot be read.
    """
    files = _files(settings, folder, raw)
    found = (
        _from_source(engine, settings) if files is None else _from_files(engine, settings, files, only or {})
    )
    if "events" not in found and "events" not in (only or {}):
        raise DataError(
            f"events: the case '{settings.case}' has no such table, which every case needs. "
            f"Found: {', '.join(found) or 'none'}. "
            f"Name its file in cases.{settings.case}.prepare.tables.events."
        )
    return found


def truth_of(settings: Settings, folder: Path, raw: Mapping[str, Path] | None) -> dict[str, Any]:
    """Return the truth that a simulated world shipped with its tables, empty where there is none."""
    if settings.source != "world":
        return {}
    path = Path((raw or {}).get(TRUTH, folder / f"{TRUTH}.json"))
    return {TRUTH: json.loads(path.read_text(encoding="utf-8"))} if path.is_file() else {}


def _files(settings: Settings, folder: Path, raw: Mapping[str, Path] | None) -> dict[str, Path] | None:
    """Return the file or folder of each table, none where the source is no file."""
    if raw is not None:
        found = {name: Path(path) for name, path in raw.items() if name != TRUTH}
    elif settings.source == "files":
        found = {name: Path(path) for name, path in settings.tables.items()}
    elif settings.source == "world":
        found = {path.stem: path for path in sorted(folder.glob("*")) if _holds_table(path)}
    else:
        return None
    drawn = settings.source == "world"  # whose tables may be empty for want of members or of what they hold
    return {name: path for name, path in found.items() if not (drawn and _is_empty(root() / path))}


def _holds_table(path: Path) -> bool:
    return path.stem in CONTRACT and (path.is_dir() or path.suffix == ".parquet")


def _is_empty(path: Path) -> bool:
    return path.is_dir() and rows_of(path) == 0


def _from_source(engine: Any, settings: Settings) -> dict[str, Raw]:
    source = import_module(f"sojourn.data.sources.{settings.source}")
    origin = f"the source '{settings.source}'"
    return {name: Raw(name, table, origin, source.CLOCK) for name, table in source.tables(engine).items()}


def _from_files(
    engine: Any, settings: Settings, files: Mapping[str, Path], only: Mapping[str, Collection[str]]
) -> dict[str, Raw]:
    found = {}
    for name, path in files.items():
        if not only.get(name, "all"):
            continue
        if name not in CONTRACT:
            raise ParameterError.unknown(name, f"cases.{settings.case}.prepare.tables", CONTRACT)
        shown = _shown(path)
        table = open_raw(engine, name, root() / path, shown, settings.case, only=only.get(name))
        found[name] = Raw(name, _renamed(table, name, settings), shown, settings.clock)
    return found


def _renamed(table: Table, name: str, settings: Settings) -> Table:
    """Give columns their names of the contract; a renamed column wins over one that has the name already."""
    renamed = settings.columns.get(name, {})
    for theirs in renamed:
        if theirs not in table.columns:
            raise DataError.missing_column(name, theirs, table.columns)
    taken = [ours for ours in renamed.values() if ours in table.columns and ours not in renamed]
    return table.drop(*taken).rename({ours: theirs for theirs, ours in renamed.items()})


def _shown(path: Path) -> str:
    """Return a path as errors name it: relative to the project where it is inside."""
    absolute = root() / path
    return absolute.relative_to(root()).as_posix() if absolute.is_relative_to(root()) else path.as_posix()
