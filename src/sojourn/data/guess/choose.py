"""Which column of a stranger's table is which of the contract's, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sojourn.core.errors import DataError
from sojourn.core.schema import CONTRACT, Type
from sojourn.data.guess.kinds import Kind, Look
from sojourn.data.guess.names import FACTORS, plain, rank

#: Kinds of values that a type of the contract can be read from; one that is empty says nothing against it.
_FITS: dict[Type, tuple[Kind, ...]] = {
    "id": ("text", "integer"),
    "instant": ("instant",),
    "category": ("text", "integer", "bool"),
    "text": ("text", "integer"),
    "integer": ("integer",),
    "decimal": ("integer", "decimal"),
    "bool": ("bool", "integer"),
}


@dataclass(frozen=True, slots=True)
class Guess:
    """What a table of theirs could be.

    Attributes
    ----------
    table : str
        Name in the contract.
    columns : mapping of str to str
        Ours -> theirs.
    why : mapping of str to str
        Ours -> by what it was chosen.
    times : mapping of str to str
        Ours -> how its instants are written, where that is not ISO 8601.
    constants : mapping of str to str
        Ours -> the value given to every row, for what the file lacks.
    products : mapping of str to tuple of str
        Ours -> the two columns of theirs whose product it is.
    leave_out_empty : tuple of str
        Ours that every row needs and that some rows of the sample lack.
    whole_ids : bool
        Whether some id is kept as a number with a point.
    unread : tuple of str
        Columns of theirs that are no column of ours.
    naive : tuple of str
        Ours whose instants say no offset.
    marks : mapping of str to str
        ``decimal`` and ``thousands``, where numbers are not written with a point alone.
    """

    table: str
    columns: Mapping[str, str]
    why: Mapping[str, str]
    times: Mapping[str, str]
    constants: Mapping[str, str]
    products: Mapping[str, tuple[str, ...]]
    leave_out_empty: tuple[str, ...]
    whole_ids: bool
    unread: tuple[str, ...]
    naive: tuple[str, ...]
    marks: Mapping[str, str]


def choose(table: str, looks: Mapping[str, Look], stated: Mapping[str, str], shown: str) -> Guess:
    """Return which column is which.

    Parameters
    ----------
    table : str
        Name in the contract.
    looks : mapping of str to Look
        What each column of the file looks like, by its name there.
    stated : mapping of str to str
        Ours -> theirs, for what the user knows.
    shown : str
        The file as errors name it.

    Raises
    ------
    DataError
        When a required column is stated and not there, or cannot be guessed.
    """
    columns = dict(stated)
    why = dict.fromkeys(stated, "stated")
    for ours, theirs in stated.items():
        if theirs not in looks:
            raise DataError.missing_column(table, theirs, looks)
        CONTRACT[table].column(ours)
    for ours in _most_needed_first(table):
        if ours not in columns:
            found = _by_name(table, ours, looks, columns) or _by_content(table, ours, looks, columns)
            if found:
                columns[ours], why[ours] = found
    products = {} if "amount" in columns else _products(table, looks, columns)
    constants = _constants(table, {*columns, *products})
    _stop_at_missing(table, {*columns, *constants}, looks, shown)
    instants = {ours: looks[theirs] for ours, theirs in columns.items() if looks[theirs].kind == "instant"}
    times = {ours: look.written for ours, look in instants.items() if look.written != "iso"}
    naive = tuple(ours for ours, look in instants.items() if look.naive)
    used = {*columns.values(), *(factor for factors in products.values() for factor in factors)}
    unread = tuple(theirs for theirs in looks if theirs not in used)
    order = [column.name for column in CONTRACT[table].columns if column.name in columns]
    ordered = {ours: columns[ours] for ours in order}
    ids = [ours for ours in ordered if CONTRACT[table].column(ours).type == "id"]
    whole = any(looks[ordered[ours]].written == "point" for ours in ids)
    lacking = _lacking(table, looks, ordered)
    marks = _marks([looks[theirs].written for theirs in used if looks[theirs].kind == "decimal"])
    return Guess(table, ordered, why, times, constants, products, lacking, whole, unread, naive, marks)


def _marks(written: Collection[str]) -> dict[str, str]:
    """Return the marks between the digits of numbers, where any has others than a point."""
    if "point and comma" in written:
        return {"decimal": ",", "thousands": "."}
    if "comma" in written:
        return {"decimal": ","}
    return {"thousands": ","} if "comma and point" in written else {}


def _most_needed_first(table: str) -> list[str]:
    columns = CONTRACT[table].columns
    return [c.name for c in columns if c.required] + [c.name for c in columns if not c.required]


def _by_name(
    table: str, ours: str, looks: Mapping[str, Look], taken: Mapping[str, str]
) -> tuple[str, str] | None:
    """Return the free column whose name is the likeliest and whose values fit."""
    fits = _FITS[CONTRACT[table].column(ours).type]
    ranked = [
        (likely, theirs)
        for theirs, look in looks.items()
        if theirs not in taken.values()
        and (look.kind in fits or look.kind == "empty")
        and (likely := rank(ours, theirs)) is not None
    ]
    if not ranked:
        return None
    return min(ranked)[1], "by its name"


def _by_content(
    table: str, ours: str, looks: Mapping[str, Look], taken: Mapping[str, str]
) -> tuple[str, str] | None:
    """Return the only free column of instants, for the time of a row."""
    if ours != CONTRACT[table].time:
        return None
    free = [
        theirs for theirs, look in looks.items() if look.kind == "instant" and theirs not in taken.values()
    ]
    return (free[0], "the only column of times") if len(free) == 1 else None


def _products(table: str, looks: Mapping[str, Look], taken: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the amount of an event as quantity times price, where both are there."""
    if table != "events":
        return {}
    numbers = [name for name, look in looks.items() if look.kind in ("integer", "decimal")]
    free = [name for name in numbers if name not in taken.values()]
    found = [next((name for name in free if plain(name) in names), "") for names in FACTORS]
    return {"amount": tuple(found)} if all(found) else {}


def _lacking(table: str, looks: Mapping[str, Look], columns: Mapping[str, str]) -> tuple[str, ...]:
    """Return ids that rows need and some lack: those rows are of nobody who is known."""
    needed = [c.name for c in CONTRACT[table].columns if c.type == "id" and not c.nullable]
    return tuple(ours for ours in needed if ours in columns and looks[columns[ours]].empty)


def _constants(table: str, columns: Collection[str]) -> dict[str, str]:
    """Return what every row gets where the file says nothing: the kind of event, the name of a trial."""
    if table == "events" and "event" not in columns:
        return {"event": "purchase" if "amount" in columns else "action"}
    if table == "assignments" and "trial" not in columns:
        return {"trial": "main"}
    return {}


def _stop_at_missing(table: str, known: set[str], looks: Mapping[str, Look], shown: str) -> None:
    missing = [name for name in CONTRACT[table].required if name not in known]
    if missing:
        raise DataError(
            f"{table}.{missing[0]}: no column of {shown} looks like it; found {', '.join(looks)}. "
            f"Say which one it is: --column {table}.{missing[0]}=NAME."
        )
