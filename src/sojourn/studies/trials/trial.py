"""A trial made of cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.errors import DataError, ParameterError, UndefinedError
from sojourn.core.params import read_params
from sojourn.core.ranges import one_of
from sojourn.core.results.trials import Trial

_BINARY = ["outcome", "scheme", "stratum", "period", "n", "k"]
_VALUE = ["outcome", "scheme", "stratum", "period", "n", "total", "total_sq", "total_cube"]
#: Columns by which tables with strata are laid out.
_KEYS = ("outcome", "scheme", "stratum", "exposed", "day", "count", "bin")
#: Tables that keep the month of assignment: members of different months were followed for different times.
_BY_MONTH = ("times",)
#: Name of strata that were put together.
OTHER = "other"


def trial(
    source: str | Cells,
    name: str | None = None,
    control: str = "none",
    *,
    strata: Literal["stratum", "period", "none"] = "stratum",
    min_group: int | None = None,
) -> Trial:
    """Return a trial from a case or from its cells.

    Parameters
    ----------
    source : str or Cells
        Name of a case, or cells of the study `trials`.
    name : str, optional
        Name of the trial; that of the cells when not given.
    control : str
        The scheme that the others are compared with.
    strata : str
        What effects are standardised over: the cells' stratum, the month of assignment (where the allocation
        changed over time), or nothing.
    min_group : int, optional
        Strata where any scheme has fewer members become "other"; that of params.yaml when not given.

    Raises
    ------
    DataError
        When the cells are not of a trial, or not of the one named.
    ParameterError
        When the control is no scheme of the trial.
    UndefinedError
        When a scheme has fewer than `min_group` matured members.
    """
    cells = _cells(source, name)
    smallest = read_params().min_group if min_group is None else min_group
    split = cells["split"][["scheme", "period", "assigned", "matured"]]
    one_of(control, "control", sorted(set(split["scheme"])))
    others = sorted(set(split["scheme"]) - {control})
    of = one_of(strata, "strata", ("stratum", "period", "none"))
    binary, value = (_stratified(cells, table, of) for table in ("binary", "value"))
    binary, value, named = _without_small(binary, value, smallest)
    known = sorted({*binary["stratum"], *value["stratum"]}, key=lambda stratum: (stratum == OTHER, stratum))
    return Trial(
        case=cells.case,
        name=str(cells.meta["trial"]),
        control=control,
        schemes=(control, *others),
        strata=tuple(known),
        binary=binary,
        value=value,
        split=split.sort_values(["scheme", "period"], ignore_index=True),
        allocation=_allocation(cells.meta.get("allocation", {}), (control, *others)),
        min_group=smallest,
        meta=dict(cells.meta),
        others=_others(cells, of, named),
    )


def _cells(source: str | Cells, name: str | None) -> Cells:
    if isinstance(source, str):
        from sojourn.data.cells import cells as read

        made = read(source, "trials")
        source = read(source, "trials", trial=name) if name not in (None, made.meta.get("trial")) else made
    if source.study != "trials" or "split" not in source.tables:
        raise DataError(f"{source!r} are not cells of a trial: they need the tables binary, value and split.")
    if name is not None and source.meta["trial"] != name:
        raise DataError(f"These cells are of trial '{source.meta['trial']}', not of '{name}'.")
    return source


def _stratified(cells: Cells, table: str, by: str) -> pd.DataFrame:
    """Return one table of cells with the stratum asked for."""
    columns = _BINARY if table == "binary" else _VALUE
    if table not in cells.tables:
        return pd.DataFrame(
            {name: pd.Series(dtype=object if name in columns[:4] else float) for name in columns}
        )
    found = cells[table][columns].copy()
    if by != "stratum":
        found["stratum"] = found["period"] if by == "period" else "all"
    return found.groupby(columns[:4], as_index=False, sort=True).sum()


def _without_small(
    binary: pd.DataFrame, value: pd.DataFrame, smallest: int
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]:
    """Put strata together in which any scheme has fewer than `smallest` members for any outcome.

    Returns both tables, and what the strata that were put together are called.
    """
    keys = ["outcome", "scheme", "stratum"]
    both = pd.concat([binary[[*keys, "n"]], value[[*keys, "n"]]])
    sizes = both.pivot_table(index=keys[:2], columns="stratum", values="n", aggfunc="sum", fill_value=0)
    named = merged(sizes, smallest)
    tables = []
    for table in (binary, value):
        renamed = table.assign(stratum=table["stratum"].map(lambda stratum: named.get(stratum, stratum)))
        tables.append(renamed.groupby(_BINARY[:4], as_index=False, sort=True).sum())
    return tables[0], tables[1], named


def _others(cells: Cells, by: str, named: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """Return all other tables; a stratum is one of the trial's, and all are one where it has none."""
    found = {name: cells[name] for name in cells.tables if name not in ("binary", "value", "split")}
    return {
        name: _restratified(table, by, named, months=name in _BY_MONTH) if "stratum" in table else table
        for name, table in found.items()
    }


def _restratified(table: pd.DataFrame, by: str, named: Mapping[str, str], *, months: bool) -> pd.DataFrame:
    """Return a table by the strata asked for, summed over months of assignment if they are not kept."""
    if by in table and by != "none":
        table = table.assign(stratum=table[by].map(lambda stratum: named.get(stratum, stratum)))
    else:
        table = table.assign(stratum="all")
    keys = [name for name in (*_KEYS, *(["period"] if months else [])) if name in table]
    values = [name for name in table if name not in (*keys, "period")]
    return table.groupby(keys, as_index=False, sort=True)[values].sum()


def merged(sizes: pd.DataFrame, smallest: int) -> dict[str, str]:
    """Return which strata become "other": the small ones, and the next smallest until it is large enough.

    Parameters
    ----------
    sizes : DataFrame
        Members by scheme (rows) and stratum (columns).
    smallest : int
        Least members of every scheme in a stratum.

    Raises
    ------
    UndefinedError
        When a scheme has fewer in all strata together.
    """
    order = sizes.min().sort_values(kind="stable").index.tolist()
    count = int((sizes.min() < smallest).sum())
    while 0 < count < len(order) and (sizes[order[:count]].sum(axis=1) < smallest).any():
        count += 1
    if sizes[order[: count or len(order)]].sum(axis=1).min() < smallest:
        raise UndefinedError(
            f"A scheme has fewer than {smallest} members with complete follow-up: too few to compare."
        )
    return dict.fromkeys(order[:count], OTHER)


def _allocation(planned: Mapping[str, float], schemes: tuple[str, ...]) -> dict[str, float]:
    if not planned:
        return dict.fromkeys(schemes, 1 / len(schemes))
    unknown = set(planned) ^ set(schemes)
    if unknown:
        raise ParameterError(
            f"'allocation' must name every scheme once; {', '.join(sorted(unknown))} does not match."
        )
    total = sum(planned.values())
    return {scheme: planned[scheme] / total for scheme in schemes}
