"""The portrait of a case: all its parts from its cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.ranges import in_range
from sojourn.core.results.portrait import Portrait
from sojourn.core.results.portrait_doings import Planted
from sojourn.studies.portrait.doings import acquisition, activity, kinds, messages, purchases, rhythm
from sojourn.studies.portrait.people import groups, joiners, stages
from sojourn.studies.portrait.span import by_day
from sojourn.studies.portrait.steps import steps

#: Mean length of a month, in days.
MONTH = 30.44
_NOBODY_KNOWS = (
    "These are real members or records of unknown making: nobody knows the truth behind them, and no page of "
    "this case can be set against it."
)


def portrait(cells: Cells, *, mass: float = 0.95, recent_days: int = 90, min_group: int = 20) -> Portrait:
    """Return who the members of a case are and what they do, every part with its table.

    Parameters
    ----------
    cells : Cells
        Of the study ``portrait``.
    mass : float
        Mass of the exact intervals of shares, in (0, 1).
    recent_days : int
        Days before `as_of` over which growth is counted.
    min_group : int
        Nothing is stated for fewer members.
    """
    in_range(mass, "mass", gt=0, lt=1)
    in_range(recent_days, "recent_days", ge=1)
    in_range(min_group, "min_group", ge=1)
    everyone = cells["groups"].query("by == 'all'").iloc[0]
    return Portrait(
        case=cells.case,
        members=int(everyone["members"]),
        joined=int(everyone["joined"]),
        with_us=int(everyone["with_us"]),
        recent=_recent(cells, recent_days),
        weekly=_weekly(by_day(cells, "active")),
        leaving_known="members.churned_at" not in cells.meta["missing"],
        joiners=joiners(cells, min_group),
        groups=groups(cells, mass, min_group),
        rhythm=rhythm(cells, min_group),
        steps=steps(cells, mass, min_group),
        kinds=kinds(cells, min_group),
        activity=activity(cells, min_group),
        stages=stages(cells, min_group),
        purchases=purchases(cells, min_group),
        messages=messages(cells, min_group),
        acquisition=acquisition(cells, min_group),
        planted=planted(cells.meta),
        meta=cells.meta,
    )


def _recent(cells: Cells, days: int) -> dict[str, int]:
    series = {what: by_day(cells, what).iloc[-days:] for what in ("joined", "left", "returned")}
    return {"days": len(series["joined"]), **{what: int(counts.sum()) for what, counts in series.items()}}


def _weekly(active: pd.Series[int]) -> tuple[float, ...]:
    """Return the mean of every seven days, counted back from the last."""
    weeks = len(active) // 7
    whole = active.iloc[len(active) - 7 * weeks :].to_numpy(dtype=float)
    return tuple(whole.reshape(weeks, 7).mean(axis=1).tolist()) if weeks else ()


def planted(meta: Mapping[str, Any]) -> Planted:
    """Return what is planted in a simulated world, as tables to show."""
    truth, currency = meta.get("truth"), str(meta.get("currency", ""))
    if not truth:
        return Planted(pd.DataFrame(), pd.DataFrame(), currency, _NOBODY_KNOWS)
    rows = [
        {
            "effect": effect["name"],
            "size": float(effect["value"]),
            "what_it_is": effect["unit"],
            "how_to_see_it": effect["identified_by"].replace("`", ""),
            "what_misleads": effect["naive"].replace("`", ""),
        }
        for effect in truth["planted"]
    ]
    hidden = [
        {
            "hidden_segment": s["segment"],
            "share": s["share"],
            "leaving_factor": s["hazard"],
            "share_taking_off": s["takes_off"],
            "first_value_days": s["value_days"],
            "visits_a_month": s["sessions"] * MONTH,
            "views_a_visit": s["views"],
            "share_with_purchase": s["buys"],
            "price": s["price"],
        }
        for s in truth["segments"]
    ]
    return Planted(pd.DataFrame(rows), pd.DataFrame(hidden), currency)
