"""What to do with whom: segments by stages, who leaves, what was tried there, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.interval import Interval
from sojourn.core.normal import standard_errors
from sojourn.core.ranges import in_range
from sojourn.core.results.board import CHURNED, IMPROBABLE, STAGES, Act, Board, WorksOn
from sojourn.core.stage_rules import stage_rules
from sojourn.studies.board.leaving import leaving, told_of
from sojourn.studies.board.names import rows_of, with_names

_EFFECTS = ("lift", "lift_low", "lift_high", "net_value", "net_value_low", "net_value_high", "raw_net_value")
_CHANCES = ("p_worth", "p_wrong")
_NAMED = ("trial", "scheme", "called", "control", "aim", "evidence")


def board(cells: Cells, works: WorksOn, *, threshold: float = 0.97, min_group: int = 20) -> Board:
    """Lay out segments by stages: members, who will leave, and which scheme is worth it.

    Parameters
    ----------
    cells : Cells
        With the tables ``now`` (``segment``, ``stage``, ``members``), ``since`` (see
        `sojourn.studies.board.leaving`) and, where there are trials, ``due`` (``trial``, ``segment``,
        ``stage``, ``due``: members of ``now`` who can still be given its schemes as its members were).
    works : WorksOn
        From `works_on`: its rope and mass are used.
    threshold : float
        The one decisive threshold: a scheme is given where the chance of a net value above the rope exceeds
        it, of several the one with the largest expected net value.
    min_group : int
        Cells with fewer members are not shown.

    Notes
    -----
    Whether a recommendation is wrong is the posterior probability that its net value is 0 or less. For "do
    nothing" it is that some scheme of which any trial tells something, be it borrowed, is worth more than the
    rope: at most ``1 - prod(1 - p)``, because schemes share their control (Slepian's inequality). Nothing is
    done only where that is below `sojourn.core.results.board.IMPROBABLE`; else the scheme that is most likely
    to be worth it should be tried. Effects that are borrowed from members of the same segment or stage are
    given only where they are as sure as the threshold asks. What was counted in a cell and does not fit all
    others is neither given there nor a reason to do nothing: it has to be tried again.

    What a trial found holds for members who are given its schemes as its own were: money and members are of
    those who are due alone. Where nobody was in the trial and fewer than `min_group` are due, as a scheme for
    the first week is nothing for who has been there for a year, it is not given. A cell of which the cells do
    not tell who is due is due as a whole.
    """
    in_range(threshold, "threshold", gt=0.5, lt=1)
    works = replace(works, table=_with_due(cells, works.table))
    empty = Board(cells.case, works.currency, works.mass, works.rope, threshold)
    now = with_names(cells, "now") if "now" in cells.tables else pd.DataFrame()
    shown = now[now["members"] >= max(min_group, 1)] if len(now) else now
    if shown.empty:
        return replace(empty, why_empty=f"No segment has {min_group} members at any stage.")
    shown = _in_order(shown, rows_of(cells))
    acts = pd.DataFrame([_act(row, works, threshold, min_group) for _, row in shown.iterrows()])
    foretold = leaving(cells, shown, works.mass, min_group)
    later = foretold.table.drop(columns=["segment", "stage"])
    table = pd.concat([shown[["segment", "stage", "members"]], later, acts], axis=1)
    of = table["members"].astype(float).mask(table["act"] == "give", table["due"])
    for name in ("net_value", "net_value_low", "net_value_high"):
        table[f"total_{name}"] = table[name] * of
    stages = tuple(name for name in STAGES if name in set(shown["stage"]))
    rules = stage_rules(cells.meta["params"], CHURNED) if "params" in cells.meta else {}
    return replace(
        empty,
        table=table,
        sums={**_sums(table[table["act"] == "give"], works), **foretold.sums},
        forward=foretold.forward,
        segments=tuple(name for name in rows_of(cells) if name in set(shown["segment"])),
        stages=stages,
        stage_rules={name: rules[name] for name in stages if name in rules},
        told=told_of(cells),
        leave_days=tuple(int(days) for days in cells.meta["leave_days"]) if len(later.columns) else (),
        left_out=int(now["members"].sum() - shown["members"].sum()),
        horizon_days=works.horizon_days,
        value_days=works.value_days,
    )


def _in_order(now: pd.DataFrame, rows: tuple[str, ...]) -> pd.DataFrame:
    """Return the cells by segment and stage, each in its order."""
    place = {name: i for i, name in enumerate(rows)}
    at = now["segment"].map(place) * len(STAGES) + now["stage"].map({s: i for i, s in enumerate(STAGES)})
    return now.loc[at.sort_values(kind="stable").index].reset_index(drop=True)


def _with_due(cells: Cells, table: pd.DataFrame) -> pd.DataFrame:
    """Add to effects how many of a cell's members are ``due``; missing where that is not told."""
    if table.empty:
        return table
    due = with_names(cells, "due")[["trial", "segment", "stage", "due"]]
    return table.merge(due, on=["trial", "segment", "stage"], how="left")


def _act(cell: pd.Series, works: WorksOn, threshold: float, min_group: int) -> dict[str, Any]:
    """Return what to do with the members of one cell."""
    told = works.table
    if len(told):
        told = told[(told["segment"] == cell["segment"]) & (told["stage"] == cell["stage"])]
    if told.empty:
        unknown = dict.fromkeys((*_EFFECTS, *_CHANCES, "due", "age_low", "age_high"), float("nan"))
        none = dict.fromkeys(_NAMED, "") | {"evidence": "none", "n_tried": 0, "n_schemes": 0, "odd": ""}
        return {"act": "try one", **none, **unknown}
    told = told.assign(due=told["due"].fillna(cell["members"]))
    odd = told[told["odd"]].sort_values(["p_odd", "trial", "scheme"])
    possible = (told["evidence"] == "trial") | (told["due"] >= max(min_group, 1))
    worth = told[(told["p_worth"] > threshold) & ~told["odd"] & possible]
    some = 1 - float(np.prod(1 - told["p_worth"]))
    still = some < IMPROBABLE and odd.empty
    act: Act = "give" if len(worth) else "do nothing" if still else "try one"
    options, by = (worth, "net_value") if len(worth) else (odd if len(odd) else told, "p_worth")
    best = options.sort_values([by, "trial", "scheme"], ascending=[False, True, True]).iloc[0]
    age_low, age_high = works.ages.get(str(best["trial"]), (float("nan"), float("nan")))
    return {
        "act": act,
        **{name: best[name] for name in _NAMED},
        **{name: float(best[name]) for name in (*_EFFECTS, "p_worth", "due")},
        "p_wrong": {"give": float(best["p_loss"]), "do nothing": some, "try one": float("nan")}[act],
        "n_tried": int(best["n"]),
        "n_schemes": len(told),
        "odd": str(odd["called"].iloc[0]) if len(odd) else "",
        "age_low": age_low,
        "age_high": age_high,
    }


def _sums(given: pd.DataFrame, works: WorksOn) -> Mapping[str, Interval]:
    """Return what all recommended schemes bring together to who is due: money, and members kept or back.

    Cells of one trial and scheme share what is not known of their effect. Schemes of one trial share its
    control: their standard deviations are added, as if they erred together, which is what they have at most.
    Trials are taken as independent. What is not known of some scheme is not added up for the others.
    """
    sums = {}
    for name in ("net_value", "lift"):
        if given[name].isna().any():
            continue
        value, variance = 0.0, 0.0
        for _, of_trial in given.groupby("trial"):
            parts = [_part(own, works, name) for _, own in of_trial.groupby("scheme")]
            value += sum(mean for mean, _ in parts)
            variance += sum(sd for _, sd in parts) ** 2
        reach = standard_errors(works.mass) * variance**0.5
        if variance > 0:
            sums[name] = Interval(value, value - reach, value + reach, works.mass, "eti")
    return sums


def _part(own: pd.DataFrame, works: WorksOn, name: str) -> tuple[float, float]:
    """Return mean and standard deviation of what one scheme of a trial brings."""
    named = str(own["trial"].iloc[0]), str(own["scheme"].iloc[0])
    rows = works.table[(works.table["trial"] == named[0]) & (works.table["scheme"] == named[1])]
    keys = pd.MultiIndex.from_frame(rows[["segment", "stage"]])
    members = own.set_index(["segment", "stage"])["due"].reindex(keys, fill_value=0).to_numpy(float)
    covariance = works.covariances[(*named, name)]
    return float(members @ rows[name].to_numpy()), float(members @ covariance @ members) ** 0.5
