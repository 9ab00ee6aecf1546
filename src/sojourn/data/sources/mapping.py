"""How columns and values of a stranger's tables become those of the contract, as parameters state it.

Everything here is data: names and values reach the engine as identifiers and literals of expressions only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sojourn.core.errors import ParameterError
from sojourn.core.schema import CONTRACT
from sojourn.core.schema import Table as Contract

#: Ways to write an instant that have a name of their own: whole or broken numbers since 1970 (UTC).
EPOCHS: dict[str, int] = {"epoch_seconds": 1_000_000, "epoch_milliseconds": 1_000, "epoch_microseconds": 1}

#: What a format of times may hold; the year, month and day must be told.
_DIRECTIVES = frozenset("YymdbBjHIMSfp%")
_WRITTEN = re.compile(r"%(.)")

#: Parameters of ``prepare`` that map, each a mapping by table.
PARAMETERS = ("columns", "values", "constants", "times", "products", "leave_out_empty")


@dataclass(frozen=True, slots=True)
class TableMapping:
    """What is stated of one table.

    Attributes
    ----------
    columns : mapping of str to str
        Name in the file -> name in the contract.
    values : mapping of str to mapping
        By column of the contract: text in the file (empty: a missing value) -> text, or None for missing.
    constants : mapping of str to str
        By column of the contract: the value of all rows.
    times : mapping of str to str
        By column of the contract: one of `EPOCHS`, or a format such as ``%d.%m.%Y %H:%M``.
    products : mapping of str to tuple of str
        By column of the contract: the columns of the file whose product it is.
    leave_out_empty : tuple of str
        Columns of the contract; rows in which one of them is empty are left out.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    times: Mapping[str, str] = field(default_factory=dict)
    products: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    leave_out_empty: tuple[str, ...] = ()


def read_mappings(stated: Mapping[str, Any], where: str) -> dict[str, TableMapping]:
    """Return what is stated of each table.

    Parameters
    ----------
    stated : mapping
        The `prepare` section of a case; only `PARAMETERS` are read.
    where : str
        Its name, for errors.

    Raises
    ------
    ParameterError
        When a table or column is not one of the contract, or a value is not what it may be.
    """
    parts: dict[str, dict[str, Any]] = {}
    for parameter in PARAMETERS:
        here = f"{where}.{parameter}"
        for table, content in _mapping(stated.get(parameter) or {}, here).items():
            if table not in CONTRACT:
                raise ParameterError.unknown(str(table), here, CONTRACT)
            read = _READERS[parameter](content, f"{here}.{table}", CONTRACT[table])
            parts.setdefault(table, {})[parameter] = read
    mappings = {table: TableMapping(**part) for table, part in parts.items()}
    for table, mapping in mappings.items():
        _stop_at_two_origins(table, mapping, where)
    return mappings


def _mapping(stated: object, where: str) -> Mapping[Any, Any]:
    if not isinstance(stated, Mapping):
        raise ParameterError(f"'{where}' must be a mapping, got {stated!r}.")
    return stated


def _column(name: object, where: str, contract: Contract) -> str:
    known = [column.name for column in contract.columns]
    if name not in known:
        raise ParameterError.unknown(str(name), where, known)
    return str(name)


def _text(value: object, where: str) -> str:
    """Return a scalar of YAML as text; yes, no and times lose how they were written, so they are refused."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ParameterError(f"'{where}' must be a text, got {value!r}. Put it in quotes.")
    return str(value)


def _columns(stated: object, where: str, contract: Contract) -> dict[str, str]:
    read = {
        _text(theirs, where): _column(ours, where, contract)
        for theirs, ours in _mapping(stated, where).items()
    }
    twice = [ours for ours in read.values() if list(read.values()).count(ours) > 1]
    if twice:
        raise ParameterError(f"'{where}' gives the name '{twice[0]}' to two columns. Rename one of both.")
    return read


def _values(stated: object, where: str, contract: Contract) -> dict[str, dict[str, str | None]]:
    read: dict[str, dict[str, str | None]] = {}
    for name, renamed in _mapping(stated, where).items():
        column, here = contract.column(_column(name, where, contract)), f"{where}.{name}"
        read[column.name] = {
            _value(theirs, here, column.type): None if ours is None else _value(ours, here, column.type)
            for theirs, ours in _mapping(renamed, here).items()
        }
    return read


def _value(value: object, where: str, kind: str) -> str:
    return str(value).lower() if isinstance(value, bool) and kind == "bool" else _text(value, where)


def _constants(stated: object, where: str, contract: Contract) -> dict[str, str]:
    read = {}
    for name, value in _mapping(stated, where).items():
        column = contract.column(_column(name, where, contract))
        read[column.name] = _value(value, f"{where}.{name}", column.type)
        if not read[column.name]:
            raise ParameterError(f"'{where}.{name}' is empty. Leave it out: the column is empty then.")
    return read


def _times(stated: object, where: str, contract: Contract) -> dict[str, str]:
    read = {}
    for name, written in _mapping(stated, where).items():
        column, here = contract.column(_column(name, where, contract)), f"{where}.{name}"
        if column.type != "instant":
            raise ParameterError(f"'{here}' is no time: {column.name} holds {column.type}s.")
        read[column.name] = _text(written, here)
        if read[column.name] not in EPOCHS:
            _stop_at_format(read[column.name], here)
    return read


def _stop_at_format(written: str, where: str) -> None:
    found = set(_WRITTEN.findall(written))
    day = {"Y", "y"} & found and ("j" in found or ("d" in found and {"m", "b", "B"} & found))
    if not day:
        raise ParameterError(
            f"'{where}' must be one of {', '.join(EPOCHS)}, or a format with year, month and day such as "
            f"'%d.%m.%Y %H:%M'; got {written!r}."
        )
    strange = sorted(found - _DIRECTIVES) or (["%"] if re.sub(r"%.", "", written).count("%") else [])
    if strange:
        known = ", ".join(f"%{letter}" for letter in sorted(_DIRECTIVES))
        raise ParameterError(f"'{where}' holds %{strange[0]}, which is none of {known}.")


def _products(stated: object, where: str, contract: Contract) -> dict[str, tuple[str, ...]]:
    read = {}
    for name, factors in _mapping(stated, where).items():
        column, here = contract.column(_column(name, where, contract)), f"{where}.{name}"
        if column.type != "decimal":
            raise ParameterError(f"'{here}' is no amount: {column.name} holds {column.type}s.")
        if not isinstance(factors, list) or len(factors) != 2:
            raise ParameterError(f"'{here}' must name two columns of the file, got {factors!r}.")
        read[column.name] = tuple(_text(factor, here) for factor in factors)
    return read


def _empties(stated: object, where: str, contract: Contract) -> tuple[str, ...]:
    if not isinstance(stated, list):
        raise ParameterError(f"'{where}' must be a list of columns, got {stated!r}.")
    return tuple(_column(name, where, contract) for name in stated)


def _stop_at_two_origins(table: str, mapping: TableMapping, where: str) -> None:
    origins = [*mapping.columns.values(), *mapping.constants, *mapping.products]
    twice = sorted({name for name in origins if origins.count(name) > 1})
    if twice:
        raise ParameterError(
            f"'{where}' says twice where {table}.{twice[0]} comes from. "
            "State it once: in columns, constants or products."
        )


_READERS: dict[str, Any] = {
    "columns": _columns,
    "values": _values,
    "constants": _constants,
    "times": _times,
    "products": _products,
    "leave_out_empty": _empties,
}
