"""Effects of every scheme of every trial of a case, from sums over members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.errors import DataError
from sojourn.estimators.by_lot import CONTROLS, LEAST, beside_control, left_out, unlike

#: The table of all trials, and what it has to hold.
TABLE = "trials"
#: The table of members before they were assigned, by trial and scheme.
ARMS = "arms"
_NEEDED = ("trial", "scheme", "outcome", "n")
_EARLY = ("early", "early_sq", "cross")


def trial_effects(
    cells: Cells, outcome: str, *, control: str | Sequence[str] = CONTROLS, min_group: int = LEAST
) -> pd.DataFrame:
    """Return the effect of every scheme of every trial of a case over its control.

    Parameters
    ----------
    cells : Cells
        With the table ``trials``: ``trial``, ``scheme``, ``outcome``, ``n`` (members), ``total`` and
        ``total_sq`` (or ``k``: of how many it is true), and where there is an early outcome ``early``,
        ``early_sq`` and ``cross`` (sum over members of early times late); and, where it is known what members
        did before, the table ``arms`` (see `odd_trials`).
    outcome : str
        The outcome.
    control : str or sequence of str
        Scheme with which the others of a trial are compared: the first of these names that the trial has.
    min_group : int
        Schemes with fewer members who can be judged are left out.

    Returns
    -------
    DataFrame, one row per trial and scheme but control, in order of trials (by time, else by name)
        ``trial``, ``scheme``, ``control``, ``members`` (of both arms), ``effect``, ``error``, ``early``,
        ``early_error``, ``covariance`` (sampling covariance of both effects; missing without an early
        outcome). Schemes in which nothing varies and those of trials without a control have no row; nor have
        trials whose members were not alike before (`odd_trials`): they were not
        assigned by lot.

    Raises
    ------
    DataError
        When a column is missing, or the outcome is not in the table.
    """
    arms = _moments(_rows(cells, outcome), float(cells.meta.get("protected", {}).get("base", 0)))
    arms = arms[arms["n"] >= max(min_group, LEAST)]
    odd = odd_trials(cells, control=control, min_group=min_group)
    found = beside_control(arms[~arms["trial"].isin(odd["trial"])], control)
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
    made = parts[good].assign(month=parts["trial"].map(_months(cells)))
    ordered: pd.DataFrame = made.sort_values(["month", "trial", "scheme"], ignore_index=True)
    return ordered.drop(columns="month")


def _months(cells: Cells) -> dict[str, str]:
    """Return for every trial the month in which, on average, its members were assigned; where it is known."""
    if ARMS not in cells.tables or "month" not in cells[ARMS]:
        return {}
    return {str(trial): str(month) for trial, month in cells[ARMS].groupby("trial")["month"].min().items()}


def odd_trials(
    cells: Cells, *, control: str | Sequence[str] = CONTROLS, min_group: int = LEAST
) -> pd.DataFrame:
    """Return trials whose members were not alike before they were assigned; none where nothing is known.

    See `sojourn.estimators.by_lot.unlike`; the table is ``arms``.
    """
    return unlike(cells[ARMS] if knows_before(cells) else None, control=control, min_group=min_group)


def knows_before(cells: Cells) -> bool:
    """Whether it is known what members did before they were assigned."""
    return ARMS in cells.tables and "before" in cells[ARMS]


def trials_left_out(
    cells: Cells, outcome: str, effects: pd.DataFrame, control: str | Sequence[str], min_group: int = LEAST
) -> pd.DataFrame:
    """Return trials without an effect: ``trial``, ``why``, ``by_lot`` (nothing speaks against it)."""
    odd = odd_trials(cells, control=control, min_group=min_group)
    return left_out(_rows(cells, outcome), set(effects["trial"]), odd, control)


def outcomes(cells: Cells) -> tuple[str, ...]:
    """Return the outcomes of the table of all trials; none where there is no table."""
    if TABLE not in cells.tables or "outcome" not in cells[TABLE]:
        return ()
    return tuple(sorted(set(cells[TABLE]["outcome"])))


def described(cells: Cells, outcome: str) -> dict[str, Any]:
    """Return case, outcome, kind, words and currency, as results name them."""
    binary = outcome in outcomes(cells) and _is_binary(_rows(cells, outcome))
    return {
        "case": cells.case,
        "outcome": outcome,
        "kind": "binary" if binary else "value",
        "words": in_plain_words(cells, outcome),
        "currency": "" if binary else str(cells.meta.get("currency", "")),
    }


def _is_binary(rows: pd.DataFrame) -> bool:
    """Whether an outcome is known to be true or not of a member: then it is its own square."""
    return "total" not in rows or bool((rows["total"] == rows["total_sq"]).all())


def in_plain_words(cells: Cells, outcome: str) -> str:
    """Return an outcome in plain words, as the cells describe it."""
    words: Mapping[str, str] = cells.meta.get("words", {})
    return words.get(outcome, outcome.replace("_", " "))


def _rows(cells: Cells, outcome: str) -> pd.DataFrame:
    table = cells[TABLE] if TABLE in cells.tables else pd.DataFrame()
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
    sums = sums[sums["n"] >= LEAST]
    n = sums["n"]
    late, early = sums["total"] / n, sums["early"] / n
    blur = base**2 / 12 / n**2
    late_var = (sums["total_sq"] / n - late**2).clip(lower=0) / (n - 1) + blur
    early_var = (sums["early_sq"] / n - early**2).clip(lower=0) / (n - 1) + blur
    most = 0.999 * np.sqrt(late_var * early_var)  # rounded sums may say more
    return pd.DataFrame(
        {
            "trial": sums["trial"],
            "scheme": sums["scheme"],
            "n": n,
            "late_mean": late,
            "late_var": late_var,
            "early_mean": early,
            "early_var": early_var,
            "covariance": ((sums["cross"] / n - late * early) / (n - 1)).clip(-most, most),
        }
    )
