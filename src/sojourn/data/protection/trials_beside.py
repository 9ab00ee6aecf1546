"""Protected cells beside the outcomes of a trial: what is only members is told in multiples, all else is not.

Sums of amounts and of days come in steps (`trials_sums`) or are withheld (`spend`, `ratio`, `balance_pairs`),
as one member can weigh much in them; withheld is also what is read off at many times or in many small groups
(`after`, `arrivals`, `features`, `clusters`).
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from sojourn.core.privacy import to_multiples
from sojourn.data.protection.declared import Counted, protect_table
from sojourn.data.protection.retention_moves import protect_spans

#: Local days with an event at which the histogram of them is read off.
_DAYS = (1, 3, 7, 14, 28, 56)
RULES: Mapping[str, tuple[Counted, ...]] = {
    "activity": (Counted(by=("scheme", "stratum", "period"), members=("n",), along="count", marks=_DAYS),),
    "traits": (Counted(by=("column", "level", "scheme"), members=("assigned",)),),
    "exposed": (
        Counted(by=("scheme", "stratum", "period", "exposed", "outcome"), members=("n",), parts=("k",)),
    ),
    "overlap": (Counted(by=("trial", "other_scheme", "scheme"), members=("n",), parts=("k",)),),
    "neighbours": (Counted(by=("scheme", "own"), members=("n",), parts=("k",)),),
    "brought": (Counted(by=("scheme", "referrer"), members=("n",), parts=("k",)),),
}
#: Tables of which a trial's rows of strata and months are put together.
_ONE = ("activity", "exposed", "times")
ALL = "all"


def protect_beside(tables: Mapping[str, pd.DataFrame], base: int) -> dict[str, pd.DataFrame]:
    """Return the tables beside ``binary``, ``value`` and ``split`` that are told, protected.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Exact; those that are not told are left out.
    base : int
        Smallest group that may be shown.

    Notes
    -----
    Times and counts of days are those of all strata and months together, so that few numbers are read off.
    """
    whole = {name: _together(table) if name in _ONE else table for name, table in tables.items()}
    made = {
        name: protect_table(whole[name], rules, base, name=name)
        for name, rules in RULES.items()
        if name in whole
    }
    if "faults" in tables:  # that there is none, or too few to be told, is told
        faults = tables["faults"]
        made["faults"] = faults.assign(members=to_multiples(faults["members"], base))
    return made | ({"times": _times(whole["times"], base)} if "times" in whole else {})


def _together(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of all strata and months as one."""
    counts = [name for name in ("n", "k", "entered", "churned", "censored") if name in table]
    one = table.assign(stratum=ALL, period=ALL)
    keys = [name for name in table.columns if name not in counts]
    return one.groupby(keys, as_index=False, sort=True)[counts].sum()[list(table.columns)]


def _times(times: pd.DataFrame, base: int) -> pd.DataFrame:
    """Return days of leaving by scheme, read off on the days of curves of groups."""
    spans = times.rename(columns={"scheme": "group"}).assign(by="scheme")
    shown = protect_spans(spans.drop(columns=["stratum", "period"]), base)
    shown = shown.rename(columns={"group": "scheme"}).assign(stratum=ALL, period=ALL)
    return shown[list(times.columns)]
