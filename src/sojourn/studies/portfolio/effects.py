"""Effects of every scheme of every trial of a case, from sums over members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from sojourn.core.cells import Cells
from sojourn.core.errors import DataError
from sojourn.core.text import number

#: The table of all trials, and what it has to hold.
TABLE = "trials"
#: The table of members before they were assigned, by trial and scheme.
ARMS = "arms"
_NEEDED = ("trial", "scheme", "outcome", "n")
_EARLY = ("early", "early_sq", "cross")
#: What a trial's control may be called; the first that it has is its control.
CONTROLS = ("none", "held_out", "control", "normal")
#: Nothing varies among fewer members.
LEAST = 2
#: Members of two schemes who were drawn by lot differ as much beforehand in one case of a thousand.
ALIKE = 0.001


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
        did before, the table ``arms`` (see `unlike`).
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
        trials whose members were not alike before (`unlike`): they were not
        assigned by lot.

    Raises
    ------
    DataError
        When a column is missing, or the outcome is not in the table.
    """
    arms = _moments(_rows(cells, outcome), float(cells.meta.get("protected", {}).get("base", 0)))
    arms = arms[arms["n"] >= max(min_group, LEAST)]
    odd = unlike(cells, control=control, min_group=min_group)
    found = _beside_control(arms[~arms["trial"].isin(odd["trial"])], control)
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


def unlike(cells: Cells, *, control: str | Sequence[str] = CONTROLS, min_group: int = LEAST) -> pd.DataFrame:
    """Return trials whose members were not alike before they were assigned: so not by lot, or with a fault.

    Parameters
    ----------
    cells : Cells
        With the table ``arms``: ``trial``, ``scheme``, ``assigned`` (members), ``before`` and ``before_sq``
        (sums over members of the days on which they came before, and of their squares).
    control : str or sequence of str
        See `trial_effects`.
    min_group : int
        Schemes with fewer members are not looked at.

    Returns
    -------
    DataFrame, one row per trial
        ``trial``, ``scheme`` (the one that differs most), ``before`` and ``before_of_control`` (means), ``p``
        (of as large a difference, over all schemes of all trials); none where nothing is known.

    Notes
    -----
    Student's test, whose variance is that of both schemes together: by lot they have the same, and a few
    members may all have done nothing.
    """
    columns = ["trial", "scheme", "before", "before_of_control", "p"]
    if not knows_before(cells):
        return pd.DataFrame(columns=columns)
    arms = cells[ARMS].astype(dict.fromkeys(("assigned", "before", "before_sq"), float))
    arms = arms[arms["assigned"] >= max(min_group, LEAST)]
    mean = arms["before"] / arms["assigned"]
    squares = (arms["before_sq"] - arms["assigned"] * mean**2).clip(lower=0)
    found = _beside_control(arms.assign(before=mean, squares=squares), control)
    away = (found["before"] - found["before_of_control"]).abs()
    freedom = found["assigned"] + found["assigned_of_control"] - 2
    variance = (found["squares"] + found["squares_of_control"]) / freedom
    error = (variance * (1 / found["assigned"] + 1 / found["assigned_of_control"])) ** 0.5
    p = np.where(away > 0, 2 * stats.t.sf(away / error.replace(0, np.nan), freedom), 1.0)
    found = found.assign(p=np.minimum(1.0, np.nan_to_num(p) * max(len(found), 1)))
    worst = found.sort_values(["p", "scheme"]).drop_duplicates("trial")
    return worst.loc[worst["p"] < ALIKE, columns].sort_values("trial", ignore_index=True)


def knows_before(cells: Cells) -> bool:
    """Whether it is known what members did before they were assigned."""
    return ARMS in cells.tables and "before" in cells[ARMS]


def left_out(
    cells: Cells, outcome: str, effects: pd.DataFrame, control: str | Sequence[str], min_group: int = LEAST
) -> pd.DataFrame:
    """Return trials without an effect: ``trial``, ``why``, ``by_lot`` (nothing speaks against it)."""
    odd = unlike(cells, control=control, min_group=min_group).set_index("trial")
    table = _rows(cells, outcome)
    names = [control] if isinstance(control, str) else list(control)
    rows = []
    for trial in sorted(set(table["trial"]) - set(effects["trial"])):
        schemes = set(table.loc[table["trial"] == trial, "scheme"])
        if trial in odd.index:
            row = odd.loc[trial]
            why = (
                f"not by lot: its members had come on {number(row['before'], 1)} days before, those of its "
                f"control on {number(row['before_of_control'], 1)}"
            )
        elif not schemes & set(names):
            why = "no control: none of its schemes is called " + " or ".join(names)
        elif len(schemes) < LEAST:
            why = "one scheme alone, with nothing beside it"
        else:
            why = "too few members who were followed long enough, or all of whom did the same"
        rows.append({"trial": trial, "why": why, "by_lot": trial not in odd.index})
    return pd.DataFrame(rows, columns=["trial", "why", "by_lot"])


def _beside_control(arms: pd.DataFrame, control: str | Sequence[str]) -> pd.DataFrame:
    """Return rows of schemes with what is known of the control of their trial (``_of_control``)."""
    names = [control] if isinstance(control, str) else list(control)
    known = arms[arms["scheme"].isin(names)]
    first = known.loc[known["scheme"].map(names.index).groupby(known["trial"]).idxmin()]
    found = arms.merge(first, on="trial", suffixes=("", "_of_control"))
    beside: pd.DataFrame = found[found["scheme"] != found["scheme_of_control"]]
    return beside


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
