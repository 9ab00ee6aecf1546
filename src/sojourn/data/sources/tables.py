"""Raw tables of a case, from wherever its source keeps them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb

from sojourn.core.errors import DataError, ParameterError
from sojourn.core.project import root
from sojourn.core.schema import CONTRACT
from sojourn.data.checked import Raw, stamps
from sojourn.data.parts import rows_of
from sojourn.data.reading import Written
from sojourn.data.settings import Settings
from sojourn.data.sources.database import open_database, shown_url
from sojourn.data.sources.duckdb_file import open_duckdb
from sojourn.data.sources.files import Asked, open_file
from sojourn.data.sources.mapping import TableMapping
from sojourn.data.sources.opened import Opened
from sojourn.data.sources.shape import notes_on, shaped, stop_at_zeros
from sojourn.data.sources.stated import DatabaseTable, File, Source

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
    stated = _stated(settings, folder, raw)
    if stated is None:
        found = _from_source(engine, settings)
    else:
        found = _from_stated(engine, settings, stated, only or {})
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


def _stated(settings: Settings, folder: Path, raw: Mapping[str, Path] | None) -> dict[str, Source] | None:
    """Return where each table is, none where the source makes them itself."""
    if raw is not None:
        found: dict[str, Source] = {name: File(str(path)) for name, path in raw.items() if name != TRUTH}
    elif settings.source == "files":
        found = dict(settings.tables)
    elif settings.source == "world":
        found = {path.stem: File(str(path)) for path in sorted(folder.glob("*")) if _holds_table(path)}
    else:
        return None
    if settings.source != "world":  # whose tables may be empty for want of members or of what they hold
        return found
    return {name: at for name, at in found.items() if not (isinstance(at, File) and _is_empty(root() / at))}


def _holds_table(path: Path) -> bool:
    return path.stem in CONTRACT and (path.is_dir() or path.suffix == ".parquet")


def _is_empty(path: Path) -> bool:
    return path.is_dir() and rows_of(path) == 0


def _from_source(engine: Any, settings: Settings) -> dict[str, Raw]:
    source = import_module(f"sojourn.data.sources.{settings.source}")
    origin = f"the source '{settings.source}'"
    return {name: Raw(name, table, origin, source.CLOCK) for name, table in source.tables(engine).items()}


def _from_stated(
    engine: Any, settings: Settings, stated: Mapping[str, Source], only: Mapping[str, Collection[str]]
) -> dict[str, Raw]:
    found = {}
    for name, source in stated.items():
        if name not in CONTRACT:
            raise ParameterError.unknown(name, f"cases.{settings.case}.prepare.tables", CONTRACT)
        if name in only and not only[name]:
            continue
        shown = shown_url(source.url) if isinstance(source, DatabaseTable) else _shown(Path(source.path))
        asked = Asked(name, root() / getattr(source, "path", ""), shown, settings.case, only.get(name))
        opened = _opened(engine, source, asked, settings)
        found[name] = _raw(opened, name, shown, settings)
    return found


def _opened(engine: Any, source: Source, asked: Asked, settings: Settings) -> Opened:
    if isinstance(source, DatabaseTable):
        return open_database(engine, source, asked.table, _wanted(asked.table, settings), case=asked.case)
    if isinstance(source, File):
        return open_file(engine, source, asked)
    if not asked.path.is_file():
        raise DataError.no_file(asked.table, asked.shown, asked.case)
    return open_duckdb(engine, source, asked.path, asked.table, asked.shown)


def _wanted(name: str, settings: Settings) -> set[str]:
    """Return the columns of a source that something is made of."""
    mapping = settings.mappings.get(name, TableMapping())
    factors = [factor for both in mapping.products.values() for factor in both]
    return {*mapping.columns, *factors, *(column.name for column in CONTRACT[name].columns)}


def _raw(opened: Opened, name: str, shown: str, settings: Settings) -> Raw:
    """Return an opened table with the contract's names and values."""
    mapping = settings.mappings.get(name, TableMapping())
    written = Written(
        opened.decimal,
        opened.thousands,
        mapping.times,
        frozenset({*mapping.constants, *mapping.products}),
        settings.ids == "whole_numbers",
        mapping.leave_out_empty,
    )
    try:
        table = shaped(opened.table, name, mapping, written)
        if opened.zeros:
            stop_at_zeros(table, name)
        notes = (*opened.notes, *notes_on(opened.table, table, mapping))
    except duckdb.Error as error:
        if opened.explain is None:
            raise
        raise opened.explain(error) from None
    return Raw(name, table, shown, settings.clock, written, notes, opened.explain, stamps(opened.files))


def _shown(path: Path) -> str:
    """Return a path as errors name it: relative to the project where it is inside."""
    absolute = root() / path
    return absolute.relative_to(root()).as_posix() if absolute.is_relative_to(root()) else path.as_posix()
