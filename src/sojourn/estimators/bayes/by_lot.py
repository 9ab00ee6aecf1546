"""Which trials can be compared at all: their control, whether members were divided by lot, and why not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from sojourn.core.text import number
from sojourn.estimators.bayes.model import Floats

#: What a trial's control may be called; the first that it has is its control.
CONTROLS = ("none", "held_out", "control", "normal")
#: Nothing varies among fewer members.
LEAST = 2
#: Members of two schemes who were drawn by lot differ as much beforehand in one case of a thousand.
ALIKE = 0.001
#: Of fewer members that are expected, Pearson's test says little.
_SPARSE = 5
#: Why a trial is left out whose division changed.
REDIVIDED = "its division among schemes changed over time, so its page, which compares months, is right"
#: Members of a scheme who may have been assigned together with others: pairs of members all alike make the
#: intervals of a scheme at most one in forty too narrow then.
_TOGETHER = 0.05
#: Why a trial is left out of which more are alike in groups: taken one by one, intervals are too narrow.
TOGETHER = (
    "more than 1 in 20 of its members were assigned together with others, so they say less than as many "
    "single members"
)
#: Why a trial is left out nothing of which can be told.
TOO_FEW = "too few members who were followed long enough, or all of whom did the same"
NOBODY = "nobody was followed long enough yet"
NO_SPELLS = "of members who had left, and the case has no table `spells` that says who is back"
UNKNOWN = "of too few of its members an outcome is known"
_LEFT_OUT = ["trial", "why", "by_lot"]
_COLUMNS = ["trial", "scheme", "before", "before_of_control", "p"]


def unlike(
    arms: pd.DataFrame | None, *, control: str | Sequence[str] = CONTROLS, min_group: int = LEAST
) -> pd.DataFrame:
    """Return trials whose members were not alike before they were assigned: so not by lot, or with a fault.

    Parameters
    ----------
    arms : DataFrame or None, one row per trial and scheme, or per trial, scheme and period
        ``trial``, ``scheme``, ``assigned`` (members), ``before`` and ``before_sq`` (sums over members of the
        days on which they came before, and of their squares) and, where it is known, ``period`` (when they
        were assigned); None where that is not known.
    control : str or sequence of str
        See `CONTROLS`.
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
    members may all have done nothing. Members are compared with those of the same period, so a division that
    changed while members came more or less often makes no difference; periods are put together by
    ``n n_c / (n + n_c)``.
    """
    if arms is None:
        return pd.DataFrame(columns=_COLUMNS)
    arms = arms.astype(dict.fromkeys(("assigned", "before", "before_sq"), float))
    whole = arms.groupby(["trial", "scheme"])["assigned"].transform("sum")
    arms = arms[(whole >= max(min_group, LEAST)) & (arms["assigned"] > 0)]
    mean = arms["before"] / arms["assigned"]
    squares = (arms["before_sq"] - arms["assigned"] * mean**2).clip(lower=0)
    arms = arms.assign(period=arms.get("period", "all"), before=mean, squares=squares)
    found = _over_periods(beside_control(arms, control, within=["period"]))
    away = (found["before"] - found["before_of_control"]).abs()
    error = (found["squares"] / found["freedom"] / found["weight"]) ** 0.5
    p = np.where(away > 0, 2 * stats.t.sf(away / error.replace(0, np.nan), found["freedom"]), 1.0)
    found = found.assign(p=np.minimum(1.0, np.nan_to_num(p) * max(len(found), 1)))
    worst = found.sort_values(["p", "scheme"]).drop_duplicates("trial")
    return worst.loc[worst["p"] < ALIKE, _COLUMNS].sort_values("trial", ignore_index=True)


def _over_periods(found: pd.DataFrame) -> pd.DataFrame:
    """Return schemes beside their control, periods put together by how much each tells of a difference."""
    n, others = found["assigned"], found["assigned_of_control"]
    weight = n * others / (n + others)
    means = {name: weight * found[name] for name in ("before", "before_of_control")}
    squares = found["squares"] + found["squares_of_control"]
    parts = found.assign(**means, weight=weight, squares=squares, freedom=n + others - 2)
    names = ["before", "before_of_control", "weight", "squares", "freedom"]
    sums = parts.groupby(["trial", "scheme"], as_index=False)[names].sum()
    sums[names[:2]] = sums[names[:2]].div(sums["weight"], axis=0)
    return sums[sums["freedom"] > 0]


def redivided(divisions: pd.DataFrame | None, *, base: int = 0) -> set[str]:
    """Return trials whose division among schemes changed over time: pooled, times would differ, not schemes.

    Parameters
    ----------
    divisions : DataFrame or None
        ``trial``, ``scheme``, ``period``, ``assigned`` (members); None where that is not known.
    base : int
        Of private cases, whose counts are rounded to multiples of it.

    Notes
    -----
    Pearson's test that schemes have the same shares in every period, over all trials at once (Bonferroni);
    periods in which fewer than `_SPARSE` members are expected in a scheme are taken together. Rounding adds
    at most ``base ** 2 / 4`` to the variance of a count.
    """
    found = set()
    trials = [] if divisions is None else list(divisions.groupby("trial"))
    for trial, rows in trials:
        table = rows.pivot_table(
            index="scheme", columns="period", values="assigned", aggfunc="sum", fill_value=0
        )
        counts = table.to_numpy(float)
        few = _expected(counts).min(axis=0) < _SPARSE
        counts = np.column_stack([counts[:, ~few], counts[:, few].sum(axis=1)])
        counts = counts[:, counts.sum(axis=0) > 0]
        expected = _expected(counts)
        away = float(((counts - expected) ** 2 / (expected + base**2 / 4)).sum())
        freedom = (counts.shape[0] - 1) * (counts.shape[1] - 1)
        if freedom and stats.chi2.sf(away, freedom) * len(trials) < ALIKE:
            found.add(str(trial))
    return found


def together(arms: pd.DataFrame | None) -> set[str]:
    """Return trials with a scheme of whose members more than `_TOGETHER` were assigned together with others.

    Parameters
    ----------
    arms : DataFrame or None
        ``trial``, ``assigned`` (members) and, where that is known, ``together`` (members of clusters of
        several members); one row per trial and scheme.
    """
    if arms is None or "together" not in arms:
        return set()
    many = arms["together"] > _TOGETHER * arms["assigned"]
    return {str(trial) for trial in arms.loc[many, "trial"]}


def unjudged(
    assigned: pd.DataFrame | None, judged: Collection[str], *, returns: bool = False
) -> pd.DataFrame:
    """Return trials of which no outcome of any member is known: ``trial``, ``why``, ``by_lot``.

    Parameters
    ----------
    assigned : DataFrame or None, one row per trial and scheme
        ``trial``, ``matured`` (members who were followed to the end) and, where it is known, ``aim``
        (``back``: of members who had left); None where that is not known.
    judged : collection of str
        Trials of which an outcome is known.
    returns : bool
        Whether it is known who came back.
    """
    rows = []
    for trial, schemes in () if assigned is None else assigned.groupby("trial"):
        if trial not in judged:
            untold = "aim" in schemes and (schemes["aim"] == "back").all() and not returns
            why = NO_SPELLS if untold else UNKNOWN
            why = why if schemes["matured"].any() else NOBODY
            rows.append({"trial": trial, "why": why, "by_lot": True})
    return pd.DataFrame(rows, columns=_LEFT_OUT).astype({"by_lot": bool})


def _expected(counts: Floats) -> Floats:
    return np.outer(counts.sum(axis=1), counts.sum(axis=0)) / max(counts.sum(), 1)


def beside_control(
    arms: pd.DataFrame, control: str | Sequence[str], within: Sequence[str] = ()
) -> pd.DataFrame:
    """Return rows of schemes with what is known of the control of their trial (``_of_control``).

    Parameters
    ----------
    arms : DataFrame
        ``trial``, ``scheme`` and what is known of them; one row of each, in every group of `within`.
    control : str or sequence of str
        See `CONTROLS`.
    within : sequence of str
        Columns of groups that are compared each by itself.
    """
    names = [control] if isinstance(control, str) else list(control)
    known = arms[arms["scheme"].isin(names)]
    rank = known["scheme"].map(names.index).astype(int)
    first = known[rank == rank.groupby(known["trial"]).transform("min")]
    found = arms.merge(first, on=["trial", *within], suffixes=("", "_of_control"))
    beside: pd.DataFrame = found[found["scheme"] != found["scheme_of_control"]]
    return beside


def left_out(
    schemes: pd.DataFrame,
    compared: Collection[str],
    odd: pd.DataFrame,
    control: str | Sequence[str],
    unfit: Mapping[str, str],
    *,
    untold: pd.DataFrame,
) -> pd.DataFrame:
    """Return trials that are not compared: ``trial``, ``why``, ``by_lot`` (nothing speaks against it).

    Parameters
    ----------
    schemes : DataFrame
        ``trial``, ``scheme``: all there are.
    compared : collection of str
        Trials that are compared.
    odd : DataFrame
        From `unlike`.
    control : str or sequence of str
        See `CONTROLS`.
    unfit : mapping of str to str
        Trials that are left out for a reason of their own, and the reason (`REDIVIDED`, `TOGETHER`); as such
        trials may seem to be odd, it comes first.
    untold : DataFrame
        From `unjudged`: put beside the others.
    """
    by_trial = odd.set_index("trial")
    names = [control] if isinstance(control, str) else list(control)
    rows = []
    for trial in sorted(set(schemes["trial"]) - set(compared)):
        there = set(schemes.loc[schemes["trial"] == trial, "scheme"])
        if trial in unfit:
            why = unfit[trial]
        elif trial in by_trial.index:
            row = by_trial.loc[trial]
            why = (
                f"not by lot: its members had come on {number(row['before'], 1)} days before, those of its "
                f"control on {number(row['before_of_control'], 1)}"
            )
        elif not there & set(names):
            why = "no control: none of its schemes is called " + " or ".join(names)
        elif len(there) < LEAST:
            why = "one scheme alone, with nothing beside it"
        else:
            why = TOO_FEW
        rows.append({"trial": trial, "why": why, "by_lot": trial in unfit or trial not in by_trial.index})
    made = pd.concat([pd.DataFrame(rows, columns=_LEFT_OUT), untold]).sort_values("trial", ignore_index=True)
    return made.astype({"by_lot": bool})
