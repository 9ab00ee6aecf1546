"""Protected cells of the board: counts in multiples, sums of outcomes of trials in steps.

Groups of fewer members than may be shown are left out; all members together stand in other studies. How often
the same members move (``repeated``) is not told: squares of few members' moves are no counts of members.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pandas as pd

from sojourn.core.privacy import to_multiples
from sojourn.data.protection.declared import Counted, protect_table
from sojourn.data.protection.portfolio import least_for_ages, outcome_sums, protect_arms

NOW = (Counted(by=("segment", "stage"), members=("members",)),)
MOVES = (Counted(by=("month", "from_segment", "to_segment"), members=("n",)),)
DIVISIONS = (Counted(by=("trial", "scheme", "period"), members=("assigned",)),)
DUE = (Counted(by=("trial", "segment", "stage"), members=("members",), parts=("due",)),)
#: What members are counted by at landmarks; all other columns say how many of them did something.
_SINCE = ("days_ago", "segment", "stage")


def protect(
    tables: Mapping[str, pd.DataFrame], meta: Mapping[str, Any], base: int, caps: Mapping[str, Decimal]
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Return protected tables, and what the cells say of themselves.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Of the board; ``arms`` with amounts already cut at `caps`.
    meta : mapping
        Of the cells.
    base : int
        Smallest group that may be shown.
    caps : mapping of str to Decimal
        By outcome that is money.
    """
    made = {
        "now": protect_table(tables["now"], NOW, base),
        "since": protect_table(tables["since"], _since(tables["since"]), base),
        "moves": protect_table(tables["moves"], MOVES, base),
    }
    if "arms" in tables:
        made["arms"] = _arms(tables["arms"], base, caps)
        made["divisions"] = protect_table(tables["divisions"], DIVISIONS, base)
        made["before"] = protect_arms(tables["before"], base, meta["before_days"])
        made["due"] = protect_table(_of_known_ages(tables["due"], tables["before"], base), DUE, base)
    return made, dict(meta)


def _since(table: pd.DataFrame) -> tuple[Counted, ...]:
    parts = tuple(name for name in table.columns if name not in (*_SINCE, "n"))
    return (Counted(by=_SINCE, members=("n",), parts=parts),)


def _of_known_ages(due: pd.DataFrame, before: pd.DataFrame, base: int) -> pd.DataFrame:
    """Return who is due by trials that are large enough to tell at what ages they assigned members."""
    members = before.groupby("trial")["assigned"].sum()
    return due[due["trial"].map(members).ge(least_for_ages(base))]


def _arms(table: pd.DataFrame, base: int, caps: Mapping[str, Decimal]) -> pd.DataFrame:
    rows = [
        {**row, "n": int(to_multiples(row["n"], base)), **outcome_sums(row, base, caps.get(row["outcome"]))}
        for _, row in table.iterrows()
        if row["n"] >= base
    ]
    return pd.DataFrame(rows, columns=list(table.columns))
