"""What is counted of the members of a case, and how often each did each kind of thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.core.measures import HOURS, Counting, Kind
from sojourn.data.activity import in_micros
from sojourn.data.engine import held
from sojourn.data.features.anchors import Anchors, anchors_of, known_events
from sojourn.data.features.families import families_of
from sojourn.data.localtime import clock_of
from sojourn.data.tidy import Tidy

#: Whom a missing table is missed by.
STUDY = "segments"
#: Fewer members with a time of day are none: one event dated by mistake makes no rhythm.
_TIMED = 2


def counting_of(tidy: Tidy, params: Mapping[str, Any], at: datetime) -> Counting:
    """Return what is counted of the members of a case, from what was known at an instant.

    Parameters
    ----------
    tidy : Tidy
        With ``events``.
    params : mapping
        ``trend_days``, ``min_tenure_days``, ``kinds`` (how many of the most common kinds of events are
        counted each by itself) and ``social`` (names of events: counted where anybody did one of them);
        ``base`` (smallest group of a private case): hours of the day are told where so many members, and
        more than one, did something at a stated time.
    at : datetime
        The instant.

    Raises
    ------
    MissingTableError
        When the case has no events.
    """
    shared = anchors_of(tidy, tidy.table("members", STUDY), at)
    done = by_kind(tidy, shared)
    by = _kind_columns(done)
    often = done.group_by(by).agg(n=done.n.sum())
    order = [ibis.desc("n"), *(ibis.asc(name, nulls_first=True) for name in by)]
    found = often.order_by(order).to_pyarrow().to_pylist()
    kinds = tuple(Kind(row["event"], row.get("feature")) for row in found[: params["kinds"]])
    social = tuple(sorted(params.get("social", ())))
    seen = any(row["event"] in social for row in found)
    timed = int(done.filter(done.timed > 0).member.nunique().to_pyarrow().as_py())
    families = families_of(tidy, social=seen, timed=timed >= max(params.get("base", 0), _TIMED))
    social = social if "social" in families else ()
    return Counting(params["trend_days"], params["min_tenure_days"], kinds, families, social)


def by_kind(tidy: Tidy, anchors: Anchors) -> Table:
    """Return how often (`n`) each member did each kind of thing up to its anchor.

    Beside ``event`` and, where the case has it, ``feature``: how many fell into each part of the local day,
    and how many are `timed`: not dated at midnight sharp, as dates without times are.
    """
    if not anchors.shared:
        return _by_kind(tidy, anchors)
    name = f"kinds of events at {anchors.shared.isoformat()}"
    return tidy.once(name, lambda: held(_by_kind(tidy, anchors)))


def _by_kind(tidy: Tidy, anchors: Anchors) -> Table:
    events = anchors.facing(tidy.table("events", STUDY))
    known = events.filter(known_events(events))
    seconds = _local_seconds(tidy, known) % 86_400
    parts = {name: (seconds // 21_600 == i).cast("int32").sum() for i, name in enumerate(HOURS)}
    timed = (seconds != 0).cast("int32").sum()
    return known.group_by(*anchors.keys, *_kind_columns(known)).agg(n=known.count(), timed=timed, **parts)


def _local_seconds(tidy: Tidy, events: Table) -> Value:
    return in_micros(events.occurred_at) // 1_000_000 + clock_of(tidy.meta).offset(events.occurred_at)


def of_kind(events: Table, kind: Kind) -> Value:
    """Return whether events are of a kind."""
    if "feature" not in events.columns:
        return events.event == kind.event
    known = events.feature.isnull() if kind.feature is None else events.feature == kind.feature
    return (events.event == kind.event) & known.fill_null(False)


def numbered(kinds: Sequence[Kind]) -> list[str]:
    """Return the columns that count kinds of events."""
    return [f"kind_{i}" for i in range(1, len(kinds) + 1)]


def _kind_columns(events: Table) -> list[str]:
    return [name for name in ("event", "feature") if name in events.columns]
