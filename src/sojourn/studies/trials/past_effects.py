"""Effects of every scheme of every trial of a case, from sums over members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.errors import DataError
from sojourn.core.results.trials import Trial

#: The table of all trials, and what it has to hold.
TABLE = "trials"
_NEEDED = ("trial", "scheme", "outcome", "n")
_EARLY = ("early", "early_sq", "cross")
#: What a trial's control may be called; the first that it has is its control.
CONTROLS = ("none", "held_out", "control", "normal")


def trial_effects(
    source: Cells | Trial, outcome: str, *, control: str | Sequence[str] = CONTROLS
) -> pd.DataFrame:
    """Return the effect of every scheme of every trial of a case over its control.

    Parameters
    ----------
    source : Cells or Trial
        With the table ``trials``: ``trial``, ``scheme``, ``outcome``, ``n`` (members), ``total`` and
        ``total_sq`` (or ``k``: of how many it is true), and where there is an early outcome ``early``,
        ``early_sq`` and ``cross`` (sum over members of early times late).
    outcome : str
        The outcome.
    control : str or sequence of str
        Scheme with which the others of a trial are compared: the first of these names that the trial has.

    Returns
    -------
    DataFrame, one row per trial and scheme but control, in order of trials
        ``trial``, ``scheme``, ``control``, ``members`` (of both arms), ``effect``, ``error``, ``early``,
        ``early_error``, ``covariance`` (sampling covariance of both effects; missing without an early
        outcome). Schemes of arms with fewer than two members, in which nothing varies, or of trials without
        a control have no row.

    Raises
    ------
    DataError
        When a column is missing, or the outcome is not in the table.
    """
    table = _rows(source, outcome)
    arms = _moments(table, _base(source))
    names = [control] if isinstance(control, str) else list(control)
    known = arms[arms["scheme"].isin(names)]
    first = known.loc[known["scheme"].map(names.index).groupby(known["trial"]).idxmin()]
    found = arms.merge(first, on="trial", suffixes=("", "_of_control"))
    found = found[found["scheme"] != found["scheme_of_control"]]
    parts = found[["trial", "scheme"]].assign(control=found["scheme_of_control"])
    parts["members"] = (found["n"] + found["n_of_control"]).astype(int)
    for effect, error, mean, variance in (
        ("effect", "error", "late_mean", "late_var"),
        ("early", "early_error", "early_mean", "early_var"),
    ):
        parts[effect] = found[mean] - found[f"{mean}_of_control"]
        parts[error] = np.sqrt(found[variance] + found[f"{variance}_of_control"])
    parts["covariance"] = found["covariance"] + found["covariance_of_control"]
    good = parts["error"].gt(0) & np.isfinite(parts["error"])
    made: pd.DataFrame = parts[good].sort_values(["trial", "scheme"], ignore_index=True)
    return made


def outcomes(source: Cells | Trial) -> tuple[str, ...]:
    """Return the outcomes of the table of all trials; none where there is no table."""
    table = _table(source)
    return tuple(sorted(set(table["outcome"]))) if len(table) and "outcome" in table else ()


def described(source: Cells | Trial, outcome: str) -> dict[str, Any]:
    """Return case, outcome, kind, words and currency, as results name them."""
    binary = outcome in outcomes(source) and _is_binary(source, outcome)
    return {
        "case": source.case,
        "outcome": outcome,
        "kind": "binary" if binary else "value",
        "words": in_plain_words(source, outcome),
        "currency": "" if binary else str(source.meta.get("currency", "")),
    }


def _is_binary(source: Cells | Trial, outcome: str) -> bool:
    """Whether an outcome is known to be true or not of a member: its own square, if nothing else says so."""
    listed = source.binary if isinstance(source, Trial) else source.tables.get("binary", pd.DataFrame())
    if "outcome" in listed and outcome in set(listed["outcome"]):
        return True
    rows = _rows(source, outcome)
    return "total" not in rows or bool((rows["total"] == rows["total_sq"]).all())


def in_plain_words(source: Cells | Trial, outcome: str) -> str:
    """Return an outcome in plain words, as the cells describe it."""
    words: Mapping[str, str] = source.meta.get("words", {})
    return words.get(outcome, outcome.replace("_", " "))


def _table(source: Cells | Trial) -> pd.DataFrame:
    if isinstance(source, Trial):
        return source.other(TABLE)
    return source[TABLE] if TABLE in source.tables else pd.DataFrame()


def _base(source: Cells | Trial) -> float:
    return float(source.meta.get("protected", {}).get("base", 0))


def _rows(source: Cells | Trial, outcome: str) -> pd.DataFrame:
    table = _table(source)
    for name in _NEEDED:
        if name not in table:
            raise DataError.missing_column(TABLE, name, table.columns)
    rows = table[table["outcome"] == outcome]
    if rows.empty:
        known = ", ".join(sorted(set(table["outcome"]))) or "none"
        raise DataError(
            f"{TABLE}.outcome: there is no '{outcome}' in the {len(table):,} rows. There are: {known}."
        )
    return rows


def _moments(table: pd.DataFrame, base: float) -> pd.DataFrame:
    """Return means, and variances and the covariance of means, per trial and scheme.

    Counts rounded to multiples of `base` carry the variance of their rounding, base^2 / 12, in sums.
    """
    filled = table.assign(**{name: table.get(name, np.nan) for name in ("k", "total", "total_sq", *_EARLY)})
    filled = filled.assign(
        total=filled["total"].where(filled["k"].isna(), filled["k"]),
        total_sq=filled["total_sq"].where(filled["k"].isna(), filled["k"]),
    )
    sums = filled.astype(dict.fromkeys(("n", "total", "total_sq", *_EARLY), float))
    sums = sums.groupby(["trial", "scheme"], as_index=False)[["n", "total", "total_sq", *_EARLY]].sum(
        min_count=1
    )
    sums = sums[sums["n"] >= 2]
    n = sums["n"]
    late, early = sums["total"] / n, sums["early"] / n
    blur = base**2 / 12 / n**2
    return pd.DataFrame(
        {
            "trial": sums["trial"],
            "scheme": sums["scheme"],
            "n": n,
            "late_mean": late,
            "late_var": (sums["total_sq"] / n - late**2).clip(lower=0) / (n - 1) + blur,
            "early_mean": early,
            "early_var": (sums["early_sq"] / n - early**2).clip(lower=0) / (n - 1) + blur,
            "covariance": (sums["cross"] / n - late * early) / (n - 1),
        }
    )
