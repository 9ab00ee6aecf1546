"""What to do with whom: segments by stages, who leaves, what was tried there, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from sojourn.core.cells import Cells
from sojourn.core.interval import Interval
from sojourn.core.ranges import in_range
from sojourn.core.results.board import CHURNED, STAGES, Act, Board, WorksOn
from sojourn.studies.board.leaving import leaving, told_of
from sojourn.studies.board.names import rows_of, with_names

_EFFECTS = ("lift", "lift_low", "lift_high", "net_value", "net_value_low", "net_value_high")


def board(cells: Cells, works: WorksOn, *, threshold: float = 0.97, min_group: int = 20) -> Board:
    """Lay out segments by stages: members, who will leave, and which scheme is worth it.

    Parameters
    ----------
    cells : Cells
        With the tables ``now`` (``segment``, ``stage``, ``members``) and ``since`` (see
        `sojourn.studies.board.leaving`).
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
    nothing" it is that of some scheme that was tried on such members being worth more than the rope:
    ``1 - prod(1 - p)``, which is an upper bound because schemes share their control (Slepian's inequality).
    Effects that are borrowed from members of the same segment or stage decide only where they are as sure as
    the threshold asks, for a scheme or against all of them. Else, and where nothing is told, there is no
    recommendation but to try a scheme.
    """
    in_range(threshold, "threshold", gt=0.5, lt=1)
    empty = Board(cells.case, works.currency, works.mass, works.rope, threshold)
    now = with_names(cells, "now") if "now" in cells.tables else pd.DataFrame()
    shown = now[now["members"] >= max(min_group, 1)] if len(now) else now
    if shown.empty:
        return replace(empty, why_empty=f"No segment has {min_group} members at any stage.")
    shown = _in_order(shown, rows_of(cells))
    acts = pd.DataFrame([_act(row, works, threshold) for _, row in shown.iterrows()])
    later = leaving(cells, shown, works.mass, min_group).drop(columns=["segment", "stage"])
    table = pd.concat([shown[["segment", "stage", "members"]], later, acts], axis=1)
    for name in ("net_value", "net_value_low", "net_value_high"):
        table[f"total_{name}"] = table[name] * table["members"]
    return replace(
        empty,
        table=table,
        sums={**_sums(table[table["act"] == "give"], works), **_leavers(table, works.mass)},
        segments=tuple(name for name in rows_of(cells) if name in set(shown["segment"])),
        stages=tuple(name for name in STAGES if name in set(shown["stage"])),
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


def _act(cell: pd.Series, works: WorksOn, threshold: float) -> dict[str, Any]:
    """Return what to do with the members of one cell."""
    told = works.table
    if len(told):
        told = told[(told["segment"] == cell["segment"]) & (told["stage"] == cell["stage"])]
    if told.empty:
        effects = dict.fromkeys(_EFFECTS, float("nan"))
        none = {
            "trial": "",
            "scheme": "",
            "called": "",
            "evidence": "none",
            **effects,
            "p_wrong": float("nan"),
            "n_tried": 0,
        }
        return {"act": "try one", **none}
    worth, own = told[told["p_worth"] > threshold], told[told["evidence"] == "trial"]
    tried = own if len(own) else told
    options = worth if len(worth) else tried
    best = options.sort_values(["net_value", "trial", "scheme"], ascending=[False, True, True]).iloc[0]
    some = 1 - float(np.prod(1 - tried["p_worth"]))
    act: Act = "give" if len(worth) else "do nothing" if len(own) or some < 1 - threshold else "try one"
    return {
        "act": act,
        "trial": best["trial"],
        "scheme": best["scheme"],
        "called": best["called"],
        "evidence": best["evidence"],
        **{name: float(best[name]) for name in _EFFECTS},
        "p_wrong": {"give": float(best["p_loss"]), "do nothing": some, "try one": float("nan")}[act],
        "n_tried": int(best["n"]),
    }


def _sums(given: pd.DataFrame, works: WorksOn) -> Mapping[str, Interval]:
    """Return what all recommended schemes bring together: money, and members kept or back.

    Cells of one trial and scheme share what is not known of their effect; those of different schemes have
    members of their own, and are taken as independent.
    """
    if given.empty:
        return {}
    sums = {}
    for name in ("net_value", "lift"):
        value, variance = 0.0, 0.0
        for (trial, scheme), own in given.groupby(["trial", "scheme"]):
            rows = works.table[(works.table["trial"] == trial) & (works.table["scheme"] == scheme)]
            keys = pd.MultiIndex.from_frame(rows[["segment", "stage"]])
            members = (
                own.set_index(["segment", "stage"])["members"].reindex(keys, fill_value=0).to_numpy(float)
            )
            if rows[name].isna().any():
                continue
            value += float(members @ rows[name].to_numpy())
            variance += float(members @ works.covariances[str(trial), str(scheme), name] @ members)
        reach = float(ndtri(0.5 + works.mass / 2)) * variance**0.5
        if variance > 0:
            sums[name] = Interval(value, value - reach, value + reach, works.mass, "eti")
    return sums


def _leavers(table: pd.DataFrame, mass: float) -> Mapping[str, Interval]:
    """Return how many members with us will leave (or come) by each horizon, cells taken as independent."""
    with_us = table[table["stage"] != CHURNED]
    sums = {}
    for name in (str(column).removesuffix("_share") for column in table if str(column).endswith("_share")):
        known = with_us[with_us[f"{name}_share"].notna()]
        members = known["members"].to_numpy(float)
        value, low, high = (known[f"{name}_share{end}"].to_numpy() for end in ("", "_low", "_high"))
        reach = float((((high - low) / 2 * members) ** 2).sum()) ** 0.5
        if len(known):
            total = float(members @ value)
            sums[name] = Interval(total, max(total - reach, 0.0), total + reach, mass, "prediction")
    return sums
