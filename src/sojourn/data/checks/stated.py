"""What a case may say of copies of rows and of names: ``exact_duplicates`` and ``known_values``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sojourn.core.errors import ParameterError
from sojourn.core.ranges import one_of
from sojourn.core.schema import CONTRACT


def read_duplicates(stated: Any, where: str) -> dict[str, str]:
    """Return by table whether exact copies of rows are to be kept or dropped.

    Raises
    ------
    ParameterError
        When a table is not one of the contract, or the word is another.
    """
    for table, what in _mapping(stated, where).items():
        _stop_at_unknown(table, where, CONTRACT)
        one_of(what, f"{where}.{table}", ("keep", "drop"))
    return dict(stated)


def read_known_values(stated: Any, where: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return by table and column the only names there are.

    Raises
    ------
    ParameterError
        When a table or a column of categories is not one of the contract, or the names are no list.
    """
    found = {}
    for table, columns in _mapping(stated, where).items():
        _stop_at_unknown(table, where, CONTRACT)
        known = [column.name for column in CONTRACT[table].columns if column.type == "category"]
        for column, names in _mapping(columns, f"{where}.{table}").items():
            _stop_at_unknown(column, f"{where}.{table}", known)
            if not isinstance(names, list) or not names:
                raise ParameterError(f"'{where}.{table}.{column}' must be a list of names, got {names!r}.")
        found[table] = {column: tuple(str(name) for name in names) for column, names in columns.items()}
    return found


def _mapping(stated: Any, where: str) -> dict[str, Any]:
    if not isinstance(stated, dict):
        raise ParameterError(f"'{where}' must say something by name, such as `events: ...`, got {stated!r}.")
    return stated


def _stop_at_unknown(name: str, where: str, known: Iterable[str]) -> None:
    if name not in known:
        raise ParameterError.unknown(str(name), where, known)
