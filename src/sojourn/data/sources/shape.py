"""The mapping of a case applied to an opened table: names, values, constants, products."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import ibis
from ibis import Table, Value

from sojourn.core.errors import DataError
from sojourn.core.schema import CONTRACT
from sojourn.data.reading import Written, as_amount, filled
from sojourn.data.sources.mapping import TableMapping
from sojourn.data.sources.notes import Note

_ZERO = r"\x00"


def shaped(table: Table, name: str, mapping: TableMapping, written: Written) -> Table:
    """Return a table with the columns that its mapping makes of those it has.

    Parameters
    ----------
    table : ibis Table
        As its source gives it.
    name : str
        Its name in the contract.
    mapping : TableMapping
        What is stated of it.
    written : Written
        How its values are written.

    Raises
    ------
    DataError
        When the mapping names a column that is not there, or makes one that is.
    """
    products = {ours: _product(table, name, factors, written) for ours, factors in mapping.products.items()}
    table = _renamed(table.mutate(**{_made(ours): value for ours, value in products.items()}), name, mapping)
    table = table.drop(*_alike(table, products)).rename({ours: _made(ours) for ours in products})
    for ours in [*mapping.constants]:
        if _alike(table, [ours]):
            raise DataError(
                f"{name}.{ours}: the table has this column, and the case states a constant for it. Take the "
                "constant out, or rename the column."
            )
    table = table.mutate(**{ours: ibis.literal(value) for ours, value in mapping.constants.items()})
    for ours in [*mapping.values, *mapping.leave_out_empty]:
        if ours not in table.columns:
            raise DataError.missing_column(name, ours, table.columns)
    table = table.drop(*_spent(table, name, mapping))
    return table.mutate(**{ours: _with_values(table[ours], keys) for ours, keys in mapping.values.items()})


def _spent(table: Table, name: str, mapping: TableMapping) -> list[str]:
    """Return the columns that are read in a product only."""
    factors = {factor for factors in mapping.products.values() for factor in factors}
    known = {column.name for column in CONTRACT[name].columns}
    return [column for column in table.columns if column in factors - known]


def _made(ours: str) -> str:
    return f"_made_{ours}"


def _alike(table: Table, names: Iterable[str]) -> list[str]:
    """Return the columns of a table that have one of some names, whatever their case."""
    wanted = {name.casefold() for name in names}
    return [name for name in table.columns if name.casefold() in wanted]


def _renamed(table: Table, name: str, mapping: TableMapping) -> Table:
    """Give columns their names of the contract; a renamed column wins over one that has the name already."""
    for theirs in mapping.columns:
        if theirs not in table.columns:
            raise DataError.missing_column(name, theirs, table.columns)
    taken = [column for column in _alike(table, mapping.columns.values()) if column not in mapping.columns]
    return table.drop(*taken).rename({ours: theirs for theirs, ours in mapping.columns.items()})


def _product(table: Table, name: str, factors: tuple[str, ...], written: Written) -> Value:
    """Return a product as an amount; as text that is none where a factor is none."""
    product = _factor(table, name, factors[0], written) * _factor(table, name, factors[1], written)
    product = product.cast("decimal(38, 8)")
    one, two = (table[factor] for factor in factors)
    if not (one.type().is_string() or two.type().is_string()):
        return product
    both = filled(one) & filled(two)
    shown = one.cast("string") + " x " + two.cast("string")
    return ibis.cases((product.notnull(), product.cast("string")), (both, shown))


def _factor(table: Table, name: str, factor: str, written: Written) -> Value:
    if factor not in table.columns:
        raise DataError.missing_column(name, factor, table.columns)
    amount = as_amount(table[factor], written)
    if amount is None:
        rows = int(table.count().execute())
        raise DataError.wrong_type(name, factor, str(table[factor].type()), "an amount", rows)
    return amount


def _with_values(value: Value, renamed: Mapping[str, str | None]) -> Value:
    text = value if value.type().is_string() else value.cast("string")
    branches = [
        (_is(text, theirs), ibis.null("string") if ours is None else ibis.literal(ours))
        for theirs, ours in renamed.items()
    ]
    return ibis.cases(*branches, else_=text)


def _is(text: Value, theirs: str) -> Value:
    return (text == theirs).fill_null(False) if theirs else (text.isnull() | (text == ""))


def notes_on(table: Table, shape: Table, mapping: TableMapping) -> Iterator[Note]:
    """Give what is worth saying of a mapping: values that no row has, rows that are left out.

    Parameters
    ----------
    table : ibis Table
        As its source gives it.
    shape : ibis Table
        The same after the mapping.
    mapping : TableMapping
        What is stated of it.
    """
    counts = _counts(table, shape, mapping)
    for ours, renamed in mapping.values.items():
        for number, theirs in enumerate(renamed):
            if not counts[f"{ours}/{number}"]:
                finding = f"no row has the value '{theirs}', which `values` renames"
                yield Note(ours, "warning", finding, "Correct or remove it.", 0)
    for ours in mapping.leave_out_empty:
        if counts[ours]:
            yield Note(
                ours, "note", "empty", "These rows are left out, as `leave_out_empty` says.", counts[ours]
            )


def _counts(table: Table, shape: Table, mapping: TableMapping) -> dict[str, int]:
    """Return how many rows have each value that is renamed, and how many are empty where none may be."""
    wanted: dict[str, Value] = {}
    for ours, renamed in mapping.values.items():
        theirs = next((theirs for theirs, name in mapping.columns.items() if name == ours), ours)
        text = table[theirs].cast("string")
        wanted |= {f"{ours}/{number}": _is(text, theirs).sum() for number, theirs in enumerate(renamed)}
    found = _row(table, wanted)
    return found | _row(shape, {ours: (~filled(shape[ours])).sum() for ours in mapping.leave_out_empty})


def _row(table: Table, wanted: dict[str, Value]) -> dict[str, int]:
    if not wanted:
        return {}
    found = table.aggregate(**wanted).to_pyarrow().to_pylist()[0]
    return {name: int(value or 0) for name, value in found.items()}


def stop_at_zeros(table: Table, name: str) -> None:
    """Stop at the first column of which some text holds a byte of value zero.

    Raises
    ------
    DataError
        Naming column and rows.
    """
    texts = [column for column in table.columns if table[column].type().is_string()]
    found = _row(
        table, {f"n{place}": table[column].re_search(_ZERO).sum() for place, column in enumerate(texts)}
    )
    for place, column in enumerate(texts):
        if found[f"n{place}"]:
            rows = table.select(_row=ibis.row_number() + 1, _zero=table[column].re_search(_ZERO))
            first = rows.filter(rows["_zero"]).order_by("_row").limit(3).to_pyarrow()["_row"].to_pylist()
            raise DataError.in_rows(
                name,
                column,
                "bytes of value zero",
                bad_rows=found[f"n{place}"],
                all_rows=int(table.count().execute()),
                examples=[f"row {row:,}" for row in first],
                hint="Export the table without them; if it is UTF-16, state `encoding`.",
            )
