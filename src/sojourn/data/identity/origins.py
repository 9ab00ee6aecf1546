"""Where the ids of a case stand: table by table, as the parameters state it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sojourn.core.errors import ParameterError
from sojourn.core.params import Params
from sojourn.core.project import root
from sojourn.core.schema import CONTRACT
from sojourn.data.sources.stated import DatabaseTable, DuckDBTable, File, Source, read_source


@dataclass(frozen=True, slots=True)
class Origin:
    """One raw table and its columns of ids.

    Attributes
    ----------
    table : str
        Name in the contract.
    source : File or DuckDBTable or DatabaseTable
        Where it stands.
    where : str
        The parameter that says so.
    columns : mapping of str to str
        Column of ids in the contract -> its name in the source.
    """

    table: str
    source: Source
    where: str
    columns: Mapping[str, str]

    @property
    def path(self) -> Path:
        """The file or folder; of a database there is none."""
        if isinstance(self.source, DatabaseTable):
            raise TypeError("a database has no path")
        return root() / self.source.path

    @property
    def shown(self) -> str:
        """Where it stands, as people are told: relative to the project where it is inside."""
        if isinstance(self.source, DatabaseTable):
            return self.source.table
        inside = self.path.is_relative_to(root())
        place = self.path.relative_to(root()) if inside else self.path
        inner = f", table {self.source.table}" if isinstance(self.source, DuckDBTable) else ""
        return place.as_posix() + inner


def origins(params: Params, case: str) -> list[Origin]:
    """Return the raw tables of a case that hold ids, `members` last: whoever stands there is not yet gone.

    Raises
    ------
    ParameterError
        When the rows of the case are not its own files: drawn, or published with a package.
    """
    section: Mapping[str, Any] = params.case(case).get("prepare") or {}
    if section.get("source") != "files":
        raise ParameterError(
            f"The rows of '{case}' are no files of its own: they are drawn, published with a package, or not "
            "there at all. Nobody can be looked for in them."
        )
    tables = section.get("tables") or {}
    order = sorted((name for name in CONTRACT if name in tables), key=("events", "members").count)
    found = (_origin(name, tables[name], section, f"cases.{case}.prepare") for name in order)
    return [origin for origin in found if origin.columns]


def _origin(table: str, stated: object, section: Mapping[str, Any], where: str) -> Origin:
    here = f"{where}.tables.{table}"
    source = stated if isinstance(stated, File | DuckDBTable | DatabaseTable) else read_source(stated, here)
    renamed = {ours: theirs for theirs, ours in ((section.get("columns") or {}).get(table) or {}).items()}
    ids = [column.name for column in CONTRACT[table].columns if column.type == "id"]
    return Origin(table, source, here, {name: str(renamed.get(name, name)) for name in ids})
