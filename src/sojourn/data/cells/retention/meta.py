"""What cells of retention say of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ibis import Table, Value

from sojourn.data.activity import activity_of, in_micros, instant_at
from sojourn.data.cells.retention.days import DAY, as_of, first_seen_after, gap_days, judged_to, seconds
from sojourn.data.cells.retention.followed import ENOUGH_SEEN, everybody
from sojourn.data.cells.retention.patterns import too_many
from sojourn.data.cells.retention.silence import STUDY
from sojourn.data.tidy import Tidy

#: Newcomers of so many days are counted beside those of as many days after.
NEWCOMER_DAYS = 28


def said(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the docstring of `sojourn.data.cells.retention.describe` promises."""
    members = everybody(tidy, params)
    counted = members.group_by("status").aggregate(members=members.count(), late=(members.late == 1).sum())
    by_status = {row["status"]: row for row in counted.to_pyarrow().to_pylist()}
    followed = by_status.pop(ENOUGH_SEEN, {"members": 0, "late": 0})
    left_out = {status: int(by_status[status]["members"]) for status in sorted(by_status)}
    return {
        "unit": "day",
        "leaving": params["churn"],
        "lapse": gap_days(params) or None,
        "observed_from": tidy.meta.get("observed_from"),
        "members": int(followed["members"]) + sum(left_out.values()),
        "left_out": left_out,
        "late": int(followed["late"]),
        **_signs(tidy),
        "since": _since(tidy, params) if gap_days(params) else "joining",
        **_newcomers(tidy, params),
        **{name: params[name] for name in ("landmark", "exam_days") if name in params},
        **too_many(tidy, params),
        **({"truth": tidy.meta["truth"]} if tidy.meta.get("truth") else {}),
    }


def _signs(tidy: Tidy) -> dict[str, Any]:
    """Return number, first and last instant of every joining, ending and event by `as_of`."""
    members = tidy.tables["members"]
    found = [_span(members.joined_at, tidy)]
    if "churned_at" in members.columns:
        found.append(_span(members.churned_at, tidy))
    if "events" in tidy.tables:
        rows = activity_of(tidy, STUDY)
        found.append(_row(rows.aggregate(n=rows.n.sum(), first=rows.first_us.min(), last=rows.last_us.max())))
    found = [row for row in found if row["n"]]
    return {
        "signs": int(sum(row["n"] for row in found)),
        "first_sign": instant_at(min(row["first"] for row in found)).isoformat(),
        "last_sign": instant_at(max(row["last"] for row in found)).isoformat(),
    }


def _span(at: Value, tidy: Tidy) -> dict[str, Any]:
    """Return number, first and last (in microseconds since 1970) of the instants up to `as_of`."""
    known = at.name("at").as_table()
    known = known.filter(known["at"] <= as_of(tidy))
    span = known.aggregate(n=known.count(), first=known["at"].min(), last=known["at"].max())
    return _row(span.mutate(first=in_micros(span["first"]), last=in_micros(span["last"])))


def _row(table: Table) -> dict[str, Any]:
    row: dict[str, Any] = table.to_pyarrow().to_pylist()[0]
    return row


def _since(tidy: Tidy, params: Mapping[str, Any]) -> str:
    """Return from what members are followed: joining, or a first event when everybody joins with one."""
    members = tidy.tables["members"]
    if params["event"] == "any":
        rows = activity_of(tidy, STUDY)
        first = rows.group_by("member").aggregate(first=rows.first_us.min())
    else:
        events = tidy.table("events", STUDY)
        events = events.filter(events.event == params["event"])
        first = events.group_by("member").aggregate(first_at=events.occurred_at.min())
        first = first.select("member", first=in_micros(first.first_at))
    both = members.left_join(first, "member")
    joined_at = in_micros(both.joined_at)
    apart = both.filter((both.first != joined_at).fill_null(True)).count().to_pyarrow().as_py()
    if apart:
        return "joining"
    return "first event" if params["event"] == "any" else f"first {params['event']}"


def _newcomers(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many joined in the first `NEWCOMER_DAYS` that count, and in as many days after them."""
    begin, span = first_seen_after(tidy, params), NEWCOMER_DAYS * DAY
    if begin + 2 * span > judged_to(tidy, params):
        return {}
    members = tidy.tables["members"]
    at = seconds(members.joined_at)
    first, following = ((at >= begin + n * span) & (at < begin + (n + 1) * span) for n in (0, 1))
    counted = members.aggregate(first=first.sum(), following=following.sum()).to_pyarrow().to_pylist()[0]
    numbers = {name: int(n or 0) for name, n in counted.items()}
    return {"newcomers": {"days": NEWCOMER_DAYS, **numbers}}
