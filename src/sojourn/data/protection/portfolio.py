"""Protected cells of the portfolio: counts in multiples, sums of amounts and of days in steps.

One row is a scheme of a trial; it is told from the smallest group that may be shown on.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pandas as pd

from sojourn.core.measures import MONTH
from sojourn.core.privacy import sum_in_steps, to_multiples
from sojourn.data.protection.trials import ALL, blocks, least_members
from sojourn.data.protection.trials_sums import Told

#: Ages of members are told in months where a twentieth of a trial is a group to be shown.
_TWENTIETH = 20


def protect(
    tables: Mapping[str, pd.DataFrame], meta: Mapping[str, Any], base: int, caps: Mapping[str, Decimal]
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Return protected tables, and what the cells say of themselves.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        ``trials``, its amounts already cut at `caps`, ``arms`` and, where there is one, ``before``.
    meta : mapping
        Of the cells.
    base : int
        Smallest group that may be shown.
    caps : mapping of str to Decimal
        By outcome that is money.

    Notes
    -----
    Months are put together until every scheme of a trial has `least_members` in each. A sum is a multiple of
    the base times what one member can have in it. Squares are rounded up after the variance of that rounding
    was added to the spread of one member, so a standard error is never too small.
    """
    early = Decimal(meta["early_days"])
    rows = [
        _trial(row, base, caps.get(str(row["outcome"])), early)
        for _, row in _periods_together(tables["trials"], base).iterrows()
        if row["n"] >= base
    ]
    made = {
        "trials": pd.DataFrame(rows, columns=list(tables["trials"].columns)),
        "arms": protect_arms(tables["arms"], base, meta["before_days"]),
    }
    if "before" in tables:
        made["before"] = _before(tables["before"], base, Decimal(meta["before_days"]))
    return made, dict(meta)


def _before(table: pd.DataFrame, base: int, days: Decimal) -> pd.DataFrame:
    """Return what members did before assignment, by periods that are large enough."""
    counted = table.rename(columns={"assigned": "n"}).assign(outcome="before")
    whole = _periods_together(counted, base).rename(columns={"n": "assigned"})
    rows = [
        {**row, "assigned": int(to_multiples(row["assigned"], base)), **_days_before(row, base, days)}
        for _, row in whole.iterrows()
        if row["assigned"] >= base
    ]
    return pd.DataFrame(rows, columns=list(table.columns))


def _periods_together(table: pd.DataFrame, base: int) -> pd.DataFrame:
    """Return sums of periods that are large enough, trial by trial."""
    named = table.assign(stratum=ALL)
    parts = [
        rows.assign(period=rows["period"].map(blocks(rows, sorted(set(rows["period"])), least_members(base))))
        for _, rows in named.groupby("trial")
    ]
    if not parts:
        return table
    keys = ["trial", "scheme", "period", "outcome"]
    sums = pd.concat(parts).groupby(keys, as_index=False)[[name for name in table if name not in keys]].sum()
    return sums[list(table.columns)]


def protect_arms(table: pd.DataFrame, base: int, before_days: int) -> pd.DataFrame:
    """Return schemes of at least `base` members: how many there are, and on how many days they came before.

    Parameters
    ----------
    table : DataFrame
        As `sojourn.data.cells.trials.every.arms_of_trials` makes it.
    base : int
        Smallest group that may be shown.
    before_days : int
        On so many days one member can have come.
    """
    members = table.groupby("trial")["assigned"].sum()
    arms = [
        _arm(row, base, Decimal(before_days)) | _ages(row, int(members[row["trial"]]), base)
        for _, row in table.iterrows()
        if row["assigned"] >= base
    ]
    return pd.DataFrame(arms, columns=list(table.columns))


def least_for_ages(base: int) -> int:
    """Return how many members a trial needs so that a twentieth of them is a group to be shown."""
    return base * _TWENTIETH


def _ages(row: pd.Series, members: int, base: int) -> dict[str, int | None]:
    """Return the ages of a trial in whole months, outwards; missing where few members lie beyond them."""
    if members < least_for_ages(base):
        return {"age_low": None, "age_high": None}
    low, high = int(row["age_low"]) // MONTH, -(-int(row["age_high"]) // MONTH)
    return {"age_low": low * MONTH, "age_high": high * MONTH}


def outcome_sums(row: pd.Series, base: int, cap: Decimal | None) -> dict[str, Decimal]:
    """Return ``total`` and ``total_sq`` of an outcome; one without a cap is one that members have or not."""
    of = Told(int(row["n"]), base)
    if cap is not None:
        return _sums("total", row, of, cap)
    # who has it and who has not are counts, so it stays its own square
    late = sum_in_steps(of.told * Fraction(row["total"]) / of.n, Decimal(base))
    return {"total": late, "total_sq": late}


def _trial(row: pd.Series, base: int, cap: Decimal | None, days: Decimal) -> dict[str, Any]:
    """Return one row of ``trials``."""
    n, told = int(row["n"]), int(to_multiples(row["n"], base))
    sums = outcome_sums(row, base, cap) | _sums("early", row, Told(n, base), days)
    own = Fraction(row["cross"]) / n - Fraction(row["total"]) * Fraction(row["early"]) / n**2
    near = Fraction(sums["total"]) * Fraction(sums["early"]) / told
    step = base * (Decimal(1) if cap is None else cap) * days
    return {**row, "n": told, **sums, "cross": sum_in_steps(told * own + near, step)}


def _arm(row: pd.Series, base: int, days: Decimal) -> dict[str, Any]:
    told = int(to_multiples(row["assigned"], base))
    made = {**row, "assigned": told, "matured": int(to_multiples(row["matured"], base))}
    made["together"] = int(to_multiples(row["together"], base))
    return made | (_days_before(row, base, days) if "before" in row else {})


def _days_before(row: pd.Series, base: int, days: Decimal) -> dict[str, int]:
    sums = _sums("before", row, Told(int(row["assigned"]), base), days)
    return {name: int(value) for name, value in sums.items()}


def _sums(name: str, row: pd.Series, of: Told, most: Decimal) -> dict[str, Decimal]:
    """Return a sum and its squares as they are told of members who have at most `most` each."""
    total, squares = of.moments(row[name], row[f"{name}_sq"], most)
    return {name: total, f"{name}_sq": squares}
