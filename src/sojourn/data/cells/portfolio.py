"""Cells of the portfolio: every trial of a case, with outcomes beside what the same members did early.

Who is in a trial, and whether it asks who is kept or who is back, is told as for one trial alone
(`sojourn.data.cells.trials`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.core.ranges import in_range
from sojourn.data.cells.trials.costs import refuse_shared_costs
from sojourn.data.cells.trials.decimals import AMOUNT, cut, product, total
from sojourn.data.cells.trials.doings import BEFORE, EARLY, has_amounts
from sojourn.data.cells.trials.every import (
    arms_of_trials,
    before_of_trials,
    followed,
    judged,
    members_of_trials,
    money_of,
    period_of,
)
from sojourn.data.cells.trials.people import BACK, KEPT
from sojourn.data.cells.trials.words import words_of
from sojourn.data.tidy import Tidy

STUDY = "portfolio"


def expressions(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return ``trials``, ``arms`` and, where there are events, ``before``.

    Parameters
    ----------
    tidy : Tidy
        Tables of the case; `members` and `assignments` are needed, `events`, `costs`, `spells` used where
        they are.
    params : mapping
        ``horizon_days`` (of being kept, or back), ``value_days``, ``margin`` (share of revenue),
        ``cost_per_member`` (by scheme).

    Returns
    -------
    dict of str to ibis Table
        ``trials``: sums over members by trial, scheme, ``period`` (month of assignment) and outcome of the
        outcome (``total``), of the days on which they came in their first two weeks (``early``), their
        squares and products (``cross``); without trials of members who had left where no ``spells`` say who
        is back. ``arms`` and ``before`` (by month): see `arms_of_trials` and `before_of_trials` of
        `sojourn.data.cells.trials.every`; of every trial.

    Raises
    ------
    MissingTableError
        When the case has no assignments.
    """
    in_range(params["horizon_days"], "horizon_days", ge=1)
    tidy.table("assignments", STUDY)
    rows = members_of_trials(tidy, params)
    arms = arms_of_trials(rows, tidy, params)
    made = {"trials": _trials(rows, tidy, params), "arms": arms}
    if "events" not in tidy.tables:
        return made
    return {**made, "arms": arms.drop("before", "before_sq"), "before": before_of_trials(rows, tidy)}


def describe(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the cells say of themselves.

    Raises
    ------
    DataError
        When a scheme has costs that belong to no member.
    """
    refuse_shared_costs(tidy)
    horizon, days = int(params["horizon_days"]), int(params["value_days"])
    truth = tidy.meta.get("truth", {}).get("trials")
    return {
        "unit": "member",
        "horizon_days": days,
        "currency": tidy.meta.get("currency", ""),
        "margin": params["margin"],
        "cost_per_member": dict(params["cost_per_member"]),
        "before_days": BEFORE,
        "early_days": EARLY,
        "words": {**words_of(BACK, [horizon], days), **words_of(KEPT, [horizon], days)},
        **({"truth": truth} if truth is not None else {}),
    }


def _trials(rows: Table, tidy: Tidy, params: Mapping[str, Any]) -> Table:
    rows, caps = rows.mutate(period=period_of(rows, tidy)), params.get("caps", {})
    known = judged(rows, tidy, params)
    parts = [_beside_early(known, known.aim + f"_at_{int(params['horizon_days'])}", known.there)]
    if has_amounts(tidy):
        paid = followed(rows, tidy, params)
        parts += [
            _beside_early(paid, ibis.literal(name), cut(late, caps.get(name)))
            for name, late in money_of(paid, params).items()
        ]
    every = ibis.union(*parts) if len(parts) > 1 else parts[0]
    return every.group_by("trial", "scheme", "period", "outcome").aggregate(
        n=every.count(),
        total=total(every.late),
        total_sq=total(product(every.late, every.late)),
        early=total(every.early),
        early_sq=total(product(every.early, every.early)),
        cross=total(product(every.late, every.early)),
    )


def _beside_early(rows: Table, outcome: Value, late: Value) -> Table:
    named = ("trial", "scheme", "period")
    return rows.select(*named, outcome=outcome, late=late.cast(AMOUNT), early=rows.early.cast(AMOUNT))
