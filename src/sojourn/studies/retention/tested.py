"""Whether groups leave alike: log-rank tests of all groups, within strata, and of every pair."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Literal

import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.errors import UndefinedError
from sojourn.core.joining import known_at_joining
from sojourn.core.ranges import in_range, one_of
from sojourn.core.results.retention_groups import LogRank, Pairs
from sojourn.estimators.survival.log_rank import (
    LogRankTest,
    Weights,
    log_rank,
    max_combo,
    stratified_log_rank,
)
from sojourn.estimators.survival.risk_set import RiskSet
from sojourn.estimators.survival.shares import holm
from sojourn.studies.retention.groups import Groups, read_groups, read_risk_set

_WEIGHTS = ("log-rank", "gehan-breslow", "tarone-ware", "peto-peto", "fleming-harrington")


def logrank(
    cells: Cells,
    *,
    by: str,
    min_group: int = 20,
    weights: Weights = "log-rank",
    rho: float = 0.0,
    gamma: float = 0.0,
    within: str = "",
) -> LogRank:
    """Return whether groups leave alike over the whole time followed.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``.
    by : str
        Grouping known at joining.
    min_group : int
        Smaller groups are left out.
    weights : str
        ``log-rank``: all days alike, best where one group leaves k times as fast throughout.
        ``gehan-breslow``, ``tarone-ware``, ``peto-peto``: early days more. ``fleming-harrington``: by `rho`
        and `gamma`.
    rho, gamma : float
        Powers of the share left (early days count more) and of the share gone (late days count more).
    within : str
        Another trait known at joining: members are compared only with those alike in it (stratified test).
        Needs the table ``patterns``.

    Raises
    ------
    ParameterError
        When `by` or `within` is no grouping of these cells, or the weights are unknown.
    UndefinedError
        When fewer than two groups are left, nobody leaves, or no patterns were counted.
    """
    one_of(weights, "weights", _WEIGHTS)
    in_range(rho, "rho", ge=0)
    in_range(gamma, "gamma", ge=0)
    groups = _at_least_two(cells, by, min_group)
    names = list(groups.risk)
    strata = _strata(cells, by, within, names) if within else [list(groups.risk.values())]
    test = stratified_log_rank(strata, weights=weights, rho=rho, gamma=gamma)
    if test.df == 0:
        raise UndefinedError(
            f"Nobody left while two groups by '{by}' were observed, so there is nothing to test."
        )
    named = f"{weights} ({rho:g}, {gamma:g})" if weights == "fleming-harrington" else weights
    table = _beside(names, groups.members, test)
    return LogRank(by, test.statistic, test.df, test.p, table, cells.meta["leaving"], named, within)


def compare_pairs(
    cells: Cells, *, by: str, min_group: int = 20, test: Weights | Literal["max-combo"] = "log-rank"
) -> Pairs:
    """Return every group tested against every other, allowing for the number of pairs.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``.
    by : str
        Grouping known at joining.
    min_group : int
        Smaller groups are left out.
    test : str
        Weights as in `logrank` (without powers), or ``max-combo``: the largest of the log-rank test and
        those of early and of late differences, for curves that may cross.

    Raises
    ------
    UndefinedError
        When fewer than two groups are left, or nobody left any of them.

    Notes
    -----
    Holm (1979) keeps the chance of any false finding; pairs that nobody left cannot be tested and are left
    out.
    """
    one_of(test, "test", (*_WEIGHTS[:-1], "max-combo"))
    groups = _at_least_two(cells, by, min_group).risk
    rows = [(a, b, *_of_pair(groups[a], groups[b], test)) for a, b in combinations(groups, 2)]
    table = pd.DataFrame(rows, columns=["group", "other", "statistic", "alone_p_value"])
    table = table[table["alone_p_value"].notna()].reset_index(drop=True)
    if table.empty:
        raise UndefinedError(
            f"Nobody left while two groups by '{by}' were observed: there is nothing to test."
        )
    adjusted = holm(table["alone_p_value"].to_numpy())
    return Pairs(by, test, table.assign(p_value=adjusted), cells.meta["leaving"])


def _at_least_two(cells: Cells, by: str, min_group: int) -> Groups:
    groups = read_groups(cells, by, min_group)
    if len(groups.risk) < 2:
        raise UndefinedError(
            f"Fewer than two groups by '{by}' have {min_group} members, so there is nothing to test."
        )
    return groups


def _of_pair(a: RiskSet, b: RiskSet, test: Weights | Literal["max-combo"]) -> tuple[float, float]:
    if test == "max-combo":
        largest = max_combo(a, b)
        return largest.statistic, largest.p
    found = log_rank([a, b], weights=test)
    return found.statistic, found.p


def _strata(cells: Cells, by: str, within: str, groups: Sequence[str]) -> list[list[RiskSet]]:
    """Return per value of `within` the risk sets of the groups, from patterns as they are known now."""
    patterns = cells["patterns"] if "patterns" in cells.tables else pd.DataFrame()
    if patterns.empty:
        raise UndefinedError(f"No patterns of traits were counted in {cells.case}: compare without `within`.")
    traits = set(patterns.columns) - {"known", "day", "entered", "churned", "censored"}
    for trait in (by, within):
        known_at_joining(trait, sorted(traits), cells.meta.get("known_later"))
    now = patterns[(patterns["known"] == "now") & patterns[by].isin(groups)]
    return [
        [read_risk_set(alike[alike[by] == group]) for group in groups] for _, alike in now.groupby(within)
    ]


def _beside(groups: list[str], members: pd.Series[int], test: LogRankTest) -> pd.DataFrame:
    counts = {"members": members.to_numpy(), "observed": test.observed.astype(int), "expected": test.expected}
    return pd.DataFrame({"group": groups, **counts})
