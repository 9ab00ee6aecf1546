"""Outcomes of all trials by the segment and stage in which members were when they were assigned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.data.activity import in_micros
from sojourn.data.cells.board.states import STUDY, in_segments, rule_of, stage_days, staged
from sojourn.data.cells.trials.decimals import AMOUNT, cut, product, total
from sojourn.data.cells.trials.doings import has_amounts, net_value
from sojourn.data.cells.trials.every import (
    arms_of_trials,
    divisions_of_trials,
    followed,
    judged,
    members_of_trials,
)
from sojourn.data.cells.trials.people import KEPT
from sojourn.data.engine import held
from sojourn.data.tidy import Tidy

_BY = ("trial", "scheme", "aim", "outcome", "segment", "stage")


def arms(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return sums of outcomes over members.

    Notes
    -----
    What members did is counted up to the last whole day that ended before assignment, counted back from
    `as_of`, so nothing that a scheme caused decides who is in which group; what they do at the very instant
    follows it, as where dates have no times. Of members who had left it is counted up to the last whole day
    before they left. Whether they had left is told at assignment itself; who leaves in that very second is
    told right before it where the trial is of members with us. Who joined in that second is new.
    """
    rows, caps = placed(tidy, params), params.get("caps", {})
    known = judged(rows, tidy, params)
    parts = [_outcome(known, "there", known.there)]
    if has_amounts(tidy):
        paid = followed(rows, tidy, params)
        parts.append(_outcome(paid, "net_value", cut(net_value(paid, params), caps.get("net_value"))))
    every = ibis.union(*parts) if len(parts) > 1 else parts[0]
    return every.group_by(*_BY).agg(
        n=every.count(), total=total(every.value), total_sq=total(product(every.value, every.value))
    )


def assigned(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return by trial and scheme what members did before assignment, by which it is seen who was by lot."""
    return arms_of_trials(members_of_trials(tidy, params), tidy, params)


def divisions(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return members by trial, scheme and month, by which it is seen where the division changed over time."""
    return divisions_of_trials(members_of_trials(tidy, params), tidy)


def _outcome(rows: Table, name: str, value: Value) -> Table:
    kept = [column for column in _BY if column != "outcome"]
    return rows.select(*kept, outcome=ibis.literal(name), value=value.cast(AMOUNT))


def placed(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return members of trials with their segment, stage and days of silence at assignment, made once."""
    days = stage_days(params) | {name: params[name] for name in ("horizon_days", "value_days")}
    named = f"{STUDY}: members of trials by {rule_of(params).fingerprint} and {days}"
    return tidy.once(named, lambda: held(_placed(tidy, params)))


def _placed(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    rows = members_of_trials(tidy, params)
    assigned_us = in_micros(rows.assigned_at)
    leaves_then = (rows.aim == KEPT) & (rows.churned_at == rows.assigned_at).fill_null(False)
    rows = rows.mutate(assigned_us=assigned_us, at_us=assigned_us - leaves_then.cast("int32").cast("int64"))
    stages = staged(tidy, rows.select("member", "at_us").distinct(), params, until_before=True).drop("age")
    rows = rows.left_join(stages, ["member", "at_us"]).drop("member_right", "at_us_right")
    rows = in_segments(tidy, params, rows, rows.assigned_us - 1)
    return rows.mutate(stage=rows.stage.fill_null("new"), silent=rows.silent.fill_null(rows.age))
