"""Effects of every scheme of every trial of a case, from sums over members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.errors import DataError
from sojourn.core.privacy import base_of
from sojourn.estimators.bayes.by_lot import (
    CONTROLS,
    LEAST,
    TOGETHER,
    TOO_FEW,
    beside_control,
    left_out,
    together,
    unlike,
)
from sojourn.estimators.bayes.by_lot import unjudged as untold

#: The table of all trials, and what it has to hold.
TABLE = "trials"
#: The table of members by trial and scheme, and that of what they did before they were assigned.
ARMS, BEFORE = "arms", "before"
_NEEDED = ("trial", "scheme", "outcome", "n")
_EARLY = ("early", "early_sq", "cross")
#: Why a trial has no effect.
_APART = "its schemes were never given in the same month as its control"
_EFFECTS = ("trial", "scheme", "control", "members", "effect", "error", "early", "early_error", "covariance")


def trial_effects(
    cells: Cells, outcome: str, *, control: str | Sequence[str] = CONTROLS, min_group: int = LEAST
) -> pd.DataFrame:
    """Return the effect of every scheme of every trial of a case over its control.

    Parameters
    ----------
    cells : Cells
        With the table ``trials``: ``trial``, ``scheme``, ``outcome``, ``n`` (members), ``total`` and
        ``total_sq`` (or ``k``: of how many it is true), where there is an early outcome ``early``,
        ``early_sq`` and ``cross`` (sum over members of early times late), and where it is known ``period``
        (when members were assigned); and, where it is known what members did before, the table ``before``
        (see `odd_trials`), and who was assigned together, ``together`` of the table ``arms``.
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
        outcome). Schemes in which nothing varies, those of trials without a control and those that were never
        given in the same period as it have no row; nor have trials whose members were not alike before
        (`odd_trials`): they were not assigned by lot; nor those of many members who were assigned in groups:
        taken one by one they would seem to say more than they do.

    Raises
    ------
    DataError
        When a column is missing, or the outcome is not in the table.

    Notes
    -----
    Members are compared with those of the same period, so a division that changed over time makes no effect.
    Differences of periods are put together by ``n n_c / (n + n_c)``, as a regression on periods does: the
    effect is that of the periods in which both schemes were given. Variances within a scheme are those around
    the means of its periods.
    """
    arms = _moments(_rows(cells, outcome), float(base_of(cells.meta)))
    arms = arms[arms["members"] >= max(min_group, LEAST)]
    apart = {*odd_trials(cells, control=control, min_group=min_group)["trial"], *_together(cells)}
    found = beside_control(arms[~arms["trial"].isin(apart)], control, within=["period"])
    parts = _over_periods(found)
    good = parts["error"].gt(0) & np.isfinite(parts["error"])
    made = parts[good].assign(month=parts["trial"].map(_months(cells)))
    ordered: pd.DataFrame = made.sort_values(["month", "trial", "scheme"], ignore_index=True)
    return ordered.drop(columns="month")


def _over_periods(found: pd.DataFrame) -> pd.DataFrame:
    """Return the differences from control, of schemes in periods, put together over the periods."""
    n, others = found["n"], found["n_of_control"]
    weight = n * others / (n + others)
    weight = weight / weight.groupby([found["trial"], found["scheme"]]).transform("sum")
    parts = found[["trial", "scheme"]].assign(control=found["scheme_of_control"], members=n + others)
    for name in ("late", "early"):
        parts[name] = weight * (found[f"{name}_mean"] - found[f"{name}_mean_of_control"])
        parts[f"{name}_var"] = weight**2 * (found[f"{name}_var"] + found[f"{name}_var_of_control"])
    parts["covariance"] = weight**2 * (found["covariance"] + found["covariance_of_control"])
    made = parts.groupby(["trial", "scheme", "control"], as_index=False).sum(min_count=1)
    return made.assign(
        members=made["members"].astype(int),
        effect=made["late"],
        error=np.sqrt(made["late_var"]),
        early_error=np.sqrt(made["early_var"]),
    )[[*_EFFECTS]]


def _months(cells: Cells) -> dict[str, str]:
    """Return for every trial the month in which, on average, its members were assigned; where it is known."""
    if ARMS not in cells.tables or "month" not in cells[ARMS]:
        return {}
    return {str(trial): str(month) for trial, month in cells[ARMS].groupby("trial")["month"].min().items()}


def odd_trials(
    cells: Cells, *, control: str | Sequence[str] = CONTROLS, min_group: int = LEAST
) -> pd.DataFrame:
    """Return trials whose members were not alike before they were assigned; none where nothing is known.

    See `sojourn.estimators.bayes.by_lot.unlike`; the table is ``before``, or ``arms`` where it has that.
    """
    return unlike(_before(cells), control=control, min_group=min_group)


def _before(cells: Cells) -> pd.DataFrame | None:
    named = next((name for name in (BEFORE, ARMS) if "before" in cells.tables.get(name, ())), None)
    return cells[named] if named else None


def _together(cells: Cells) -> dict[str, str]:
    """Return trials many of whose members were assigned in groups, and what is said of them."""
    return dict.fromkeys(together(cells.tables.get(ARMS)), TOGETHER)


def knows_before(cells: Cells) -> bool:
    """Whether it is known what members did before they were assigned."""
    return _before(cells) is not None


def trials_left_out(
    cells: Cells, outcome: str, effects: pd.DataFrame, control: str | Sequence[str], min_group: int = LEAST
) -> pd.DataFrame:
    """Return trials without an effect: ``trial``, ``why``, ``by_lot`` (nothing speaks against it)."""
    odd = odd_trials(cells, control=control, min_group=min_group)
    there = _rows(cells, outcome)
    made = left_out(there, set(effects["trial"]), odd, control, _together(cells), untold=unjudged(cells))
    apart = made["trial"].isin(_never_together(there, control)) & made["by_lot"]
    return made.assign(why=made["why"].mask(apart & (made["why"] == TOO_FEW), _APART))


def _never_together(rows: pd.DataFrame, control: str | Sequence[str]) -> set[str]:
    """Return trials none of whose schemes was given in the same period as the control."""
    arms = rows.assign(period=rows.get("period", "all"))
    together = beside_control(arms[["trial", "scheme", "period"]], control, within=["period"])
    return set(rows["trial"]) - set(together["trial"])


def unjudged(cells: Cells) -> pd.DataFrame:
    """Return trials of which no outcome of any member is known: ``trial``, ``why``, ``by_lot``."""
    known = set(cells[TABLE]["trial"]) if TABLE in cells.tables else set()
    return untold(cells.tables.get(ARMS), known)


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
    """Return per trial, scheme and period means, and variances and the covariance of these means.

    Counts rounded to multiples of `base` carry the variance of their rounding, base^2 / 12, in sums.
    """
    filled = table.assign(**{name: table.get(name, np.nan) for name in ("k", "total", "total_sq", *_EARLY)})
    filled = filled.assign(
        total=filled["total"].where(filled["k"].isna(), filled["k"]),
        total_sq=filled["total_sq"].where(filled["k"].isna(), filled["k"]),
        period=table.get("period", "all"),
    )
    sums = filled.astype(dict.fromkeys(("n", "total", "total_sq", *_EARLY), float))
    sums = sums.groupby(["trial", "scheme", "period"], as_index=False)[
        ["n", "total", "total_sq", *_EARLY]
    ].sum(min_count=1)
    n = sums["n"]
    around = sums[["trial", "scheme", "period", "n"]].assign(
        late=(sums["total_sq"] - sums["total"] ** 2 / n).clip(lower=0),
        early=(sums["early_sq"] - sums["early"] ** 2 / n).clip(lower=0),
        cross=sums["cross"] - sums["total"] * sums["early"] / n,
    )
    of = around.groupby(["trial", "scheme"])
    within = (of["n"].transform("sum") - of["n"].transform("size")).where(lambda free: free > 0)
    blur = base**2 / 12 / n**2
    late, early, cross = (of[name].transform("sum") / within for name in ("late", "early", "cross"))
    late_var, early_var = late / n + blur, early / n + blur
    most = 0.999 * np.sqrt(late_var * early_var)  # rounded sums may say more
    return pd.DataFrame(
        {
            **{name: sums[name] for name in ("trial", "scheme", "period", "n")},
            "members": of["n"].transform("sum"),
            "late_mean": sums["total"] / n,
            "late_var": late_var,
            "early_mean": sums["early"] / n,
            "early_var": early_var,
            "covariance": (cross / n).clip(-most, most),
        }
    )
