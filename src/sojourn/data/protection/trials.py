"""Protected cells of trials: fewer and larger rows, counts in multiples, sums of amounts cut at a cap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pandas as pd

from sojourn.core.privacy import sum_in_steps, to_multiples
from sojourn.data.protection.declared import Counted, protect_table
from sojourn.data.protection.trials_beside import protect_beside
from sojourn.data.protection.trials_sums import protect_balance, protect_covariate, protect_missing

SPLIT = (Counted(by=("scheme", "period"), members=("assigned",), parts=("matured",)),)
_BY = ["outcome", "scheme", "stratum", "period"]
_SUMS = ("total", "total_sq", "total_cube")
OTHER, ALL = "other", "all"


def least_members(base: int) -> int:
    """Return how many members a row has at least, where the trial has as many: ``2 base ** 2``.

    Rounding to multiples adds ``base ** 2 / 12`` to the variance of a count: at most a sixth of that of a
    share of one half in a row of this size, and less than a twentieth of that of the count itself.
    """
    return 2 * base**2


def protect(
    tables: Mapping[str, pd.DataFrame], meta: Mapping[str, Any], base: int, caps: Mapping[str, Decimal]
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Return protected tables, and what the cells say of themselves.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        ``binary``, ``split`` and, of amounts that are already cut at `caps`, ``value``; and others.
    meta : mapping
        Of the cells.
    base : int
        Smallest group that may be shown.
    caps : mapping of str to Decimal
        By outcome.

    Notes
    -----
    Strata and months are put together until every scheme has `least_members` in each. A share keeps its
    value as well as multiples can: k is rounded for the rounded n. A mean of amounts likewise, in steps of
    base times cap; its squares are rounded up, after the variance of that rounding (step² / 12) was added to
    the spread of one member, so that a standard error is never too small. Tables that are not told at all are
    named under ``withheld`` of what the cells say.
    """
    strata, periods = _together(tables, least_members(base))
    outcomes = {name: tables[name] for name in ("binary", "value", "split") if name in tables}
    coarse = {name: _coarse(table, strata, periods) for name, table in outcomes.items()}
    made = {"binary": _binary(coarse["binary"], base), "split": protect_table(coarse["split"], SPLIT, base)}
    if "value" in tables:
        made["value"] = _value(coarse["value"], base, caps)
    made |= protect_beside(tables, base) | _sums(tables, strata, periods, base, caps)
    left = int(to_multiples(meta["other_state"], base))
    withheld = sorted(set(tables) - set(made))
    return made, {**meta, "other_state": left, "withheld": withheld}


def _sums(
    tables: Mapping[str, pd.DataFrame],
    strata: Mapping[str, str],
    periods: Mapping[str, str],
    base: int,
    caps: Mapping[str, Decimal],
) -> dict[str, pd.DataFrame]:
    """Return ``balance``, ``covariate`` and ``missing``, as far as there are any."""
    made = {}
    if "balance" in tables:
        made["balance"] = protect_balance(tables["balance"], base, caps)
    if "covariate" in tables:
        made["covariate"] = protect_covariate(_coarse(tables["covariate"], strata, periods), base, caps)
    if "missing" in tables:
        made["missing"] = protect_missing(tables["missing"], base)
    return made


def _together(tables: Mapping[str, pd.DataFrame], least: int) -> tuple[dict[str, str], dict[str, str]]:
    """Return what every stratum and every month is called once they are large enough."""
    counted = pd.concat([tables[name][[*_BY, "n"]] for name in ("binary", "value") if name in tables])
    strata = _merged(_smallest(counted, "stratum"), least)
    named = counted.assign(stratum=counted["stratum"].map(strata))
    months = sorted({*counted["period"], *tables["split"]["period"]})
    return strata, blocks(named, months, least)


def _smallest(counted: pd.DataFrame, by: str) -> pd.Series[int]:
    """Return the number of members of the smallest scheme, at the outcome that fewest can be judged by."""
    sizes = counted.pivot_table(
        index=["outcome", "scheme"], columns=by, values="n", aggfunc="sum", fill_value=0
    )
    return sizes.min()


def _merged(sizes: pd.Series[int], least: int) -> dict[str, str]:
    order = sizes.sort_values(kind="stable").index.tolist()
    small = int((sizes < least).sum())
    while 0 < small < len(order) and sizes[order[:small]].sum() < least:
        small += 1
    name = ALL if small == len(order) else OTHER
    return {stratum: name if stratum in order[:small] else stratum for stratum in order}


def blocks(counted: pd.DataFrame, months: Sequence[str], least: int) -> dict[str, str]:
    """Put months together, from the first on, until every scheme has `least` members in every stratum."""
    cells = counted.assign(cell=counted["outcome"] + counted["scheme"] + counted["stratum"])
    sizes = cells.pivot_table(index="period", columns="cell", values="n", aggfunc="sum", fill_value=0)
    sizes = sizes.reindex(list(months), fill_value=0)
    blocks: list[list[str]] = [[]]
    for month in months:
        if blocks[-1] and sizes.loc[blocks[-1]].sum().min() >= least:
            blocks.append([])
        blocks[-1].append(month)
    if len(blocks) > 1 and sizes.loc[blocks[-1]].sum().min() < least:
        rest = blocks.pop()
        blocks[-1] += rest
    names = [block[0] if len(block) == 1 else f"{block[0]} to {block[-1]}" for block in blocks]
    return {month: name for name, block in zip(names, blocks, strict=True) for month in block}


def _coarse(table: pd.DataFrame, strata: Mapping[str, str], periods: Mapping[str, str]) -> pd.DataFrame:
    named = table.assign(period=table["period"].map(periods))
    if "stratum" in named:
        named["stratum"] = named["stratum"].map(strata)
    keys = [column for column in (*_BY,) if column in named]
    values = [column for column in table.columns if column not in keys]
    return named.groupby(keys, as_index=False, sort=True)[values].sum()[list(table.columns)]


def _binary(rows: pd.DataFrame, base: int) -> pd.DataFrame:
    n = [int(count) for count in to_multiples(rows["n"], base)]
    exact = zip(n, rows["n"], rows["k"], strict=True)
    k = [
        int(sum_in_steps(Fraction(told * int(part), int(whole)), Decimal(base)))
        for told, whole, part in exact
    ]
    return rows.assign(n=n, k=k)[[told > 0 for told in n]].reset_index(drop=True)


def _value(rows: pd.DataFrame, base: int, caps: Mapping[str, Decimal]) -> pd.DataFrame:
    made = []
    for _, row in rows.iterrows():
        n, cap = int(to_multiples(row["n"], base)), caps[row["outcome"]]
        if n:
            sums = _moments(n, int(row["n"]), [Fraction(row[name]) for name in _SUMS], base, cap)
            made.append({**row[_BY], "n": n, **dict(zip(_SUMS, sums, strict=True))})
    return pd.DataFrame(made, columns=list(rows.columns))


def _moments(told: int, n: int, sums: Sequence[Fraction], base: int, cap: Decimal) -> list[Decimal]:
    """Return the three sums of `told` members: mean as near as steps allow, spread never too small."""
    mean, square, cube = (total / n for total in sums)
    variance, third = square - mean**2, cube - 3 * mean * square + 2 * mean**3
    total = sum_in_steps(told * mean, base * cap)
    near = Fraction(total) / told
    blur = Fraction(base * cap) ** 2 / (12 * told)
    squares = sum_in_steps(told * (variance + blur + near**2), base * cap**2, up=True)
    cubes = sum_in_steps(told * (third + 3 * near * Fraction(squares) / told - 2 * near**3), base * cap**3)
    return [total, squares, cubes]
