"""Small worlds of members who pause, leave and come back, and what plain Python counts of them.

Nothing here is taken from the code it examines: states are looked up day by day, gaps one by one. Times are
whole seconds since 1970.
"""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import ibis
import numpy as np
import pandas as pd

from sojourn.data.tidy import Tidy

DAY = 86_400
AS_OF = int(datetime(2025, 3, 1, 12, tzinfo=UTC).timestamp())
ZONE = "America/New_York"
GROUPS = ("plan", "region")
PARAMS = {
    "churn": "cancellation",
    "lapse_days": 10,
    "event": "any",
    "groups": list(GROUPS),
    "first_seen_after_days": 0,
    "landmark": 20,
    "exam_days": 45,
}
SILENCE = {**PARAMS, "churn": "silence", "landmark": 8}


def draw(seed: int, members: int = 60) -> dict[str, list[dict]]:
    """Return members, spells and events; many times lie whole days apart, so that every edge is met."""
    rng = np.random.default_rng(seed)
    made: dict[str, list[dict]] = {"members": [], "spells": [], "events": []}
    for number in range(members):
        joined = AS_OF - _some_days(rng, 200) - 1
        spells, left = _spells(rng, joined)
        reason = rng.choice(["price", "content", None], p=[0.5, 0.3, 0.2]) if left else None
        plan = rng.choice(["monthly", "annual", None], p=[0.6, 0.3, 0.1])
        region = rng.choice(["north", "south"])
        made["members"].append(
            {"member": number, "joined_at": joined, "churned_at": left, "churn_reason": reason, "plan": plan,
             "region": region}
        )  # fmt: skip
        made["spells"] += [{"member": number, **spell} for spell in spells]
        made["events"] += [{"member": number, **event} for event in _events(rng, joined)]
    return made


def _some_days(rng, most: int) -> int:
    """Return seconds: whole days as often as not."""
    return int(rng.integers(0, most)) * DAY if rng.random() < 0.5 else int(rng.integers(0, most * DAY))


def _spells(rng, joined: int) -> tuple[list[dict], int | None]:
    """Return spells, and when the first stay ended; what begins or ends after `AS_OF` is not known."""
    spells, at, left = [], joined, None
    for _ in range(int(rng.integers(1, 7))):
        end = at + _some_days(rng, 60)
        spells.append({"started_at": at, "ended_at": end, "plan": str(rng.choice(["monthly", "annual"]))})
        how = rng.choice(["change", "pause", "leave", "overlap", "soon"])
        if how in ("leave", "soon") and left is None:
            left = end
        away = {"change": 0, "overlap": -min(end - at, 3 * DAY), "soon": int(rng.integers(0, 6 * 3600))}
        following = end + away.get(how, _some_days(rng, 40))
        at = max(following, at + 1)  # a member has one spell at a time
    if rng.random() < 0.3:
        spells[-1]["ended_at"] = None
        left = None if left == end else left
    spells = [spell for spell in spells if spell["started_at"] <= AS_OF]
    for spell in spells:
        spell["ended_at"] = None if (spell["ended_at"] or AS_OF + 1) > AS_OF else spell["ended_at"]
    return spells, left if left is not None and left <= AS_OF else None


def _events(rng, joined: int) -> list[dict]:
    """Return events from a little before joining on, some of which became known days later."""
    at, found = joined - 2 * DAY, []
    for _ in range(int(rng.integers(0, 25))):
        gap = rng.choice([0, 3_600, DAY, 10 * DAY, 10 * DAY + 1, 25 * DAY])
        at += int(gap) + (int(rng.integers(0, 7_200)) if rng.random() < 0.5 else 0)
        late = int(rng.choice([0, 0, 600, 30 * 3_600, 20 * DAY]))
        if at + late <= AS_OF:
            found.append({"occurred_at": at, "recorded_at": at + late if late else None, "event": "visit"})
    return found


def tidy(made: dict[str, list[dict]], *, as_of: int = AS_OF, observed_from: int | None = None) -> Tidy:
    """Return tidy tables of a world."""
    columns = {
        "members": ["joined_at", "churned_at"],
        "spells": ["started_at", "ended_at"],
        "events": ["occurred_at", "recorded_at"],
    }
    tables = {name: _table(rows, columns[name]) for name, rows in made.items()}
    said = {
        "as_of": _instant(as_of).isoformat(),
        "observed_from": observed_from and _instant(observed_from).isoformat(),
        "time_zone": ZONE,
        "first_instant": _instant(min(m["joined_at"] for m in made["members"])).isoformat(),
    }
    return Tidy("test", tables, said)


def _table(rows: list[dict], instants: list[str]) -> ibis.Table:
    frame = pd.DataFrame(rows)
    for name in set(instants) & set(frame.columns):
        at = [None if pd.isna(second) else _instant(int(second)) for second in frame[name]]
        frame[name] = pd.to_datetime(pd.Series(at), utc=True).astype("datetime64[us, UTC]")
    return ibis.memtable(frame)


def _instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def counted(table: pd.DataFrame) -> Counter:
    """Return the counts of a table as `Counter` of (column, key); a row's key is all that is no count."""
    counts = ("entered", "churned", "censored", "left", "back", "ended", "ended_away", "members")
    keys = [column for column in table.columns if column not in counts]
    found: Counter = Counter()
    for row in table.to_dict("records"):
        key = tuple(row[name] for name in keys)
        assert not any((column, key) in found for column in counts)  # one row each
        found.update({(column, key): row[column] for column in counts if row.get(column)})
    return found


def groups_of(m: dict) -> dict[str, str]:
    """Return the groupings of a member."""
    local = _instant(m["joined_at"]).astimezone(ZoneInfo(ZONE))
    known = {name: m[name] or "unknown" for name in GROUPS}
    return {"all": "all", "cohort": local.strftime("%Y-%m"), **known}


def spell_of(m: dict, left: int | None, judged: int, observed_from: int | None) -> dict | None:
    """Return entry, end, whether churned and the full follow-up of a member; None when not followed."""
    follow_up = math.floor((judged - m["joined_at"]) / DAY)
    leaves = None if left is None else math.ceil((left - m["joined_at"]) / DAY)
    churned = leaves is not None and leaves <= follow_up
    end = leaves if churned else follow_up
    late = observed_from is not None and observed_from > m["joined_at"]
    entry = math.ceil((observed_from - m["joined_at"]) / DAY) if late else 0
    if follow_up < 0 or (late and end <= entry):
        return None
    return {"late": late, "entry": entry, "end": end, "churned": churned, "follow_up": follow_up}


def signs_of(m: dict, made: dict, by: int) -> list[int]:
    """Return the seconds of joining and of every event that had happened and was known by an instant."""
    mine = [e for e in made["events"] if e["member"] == m["member"] and e["occurred_at"] >= m["joined_at"]]
    known = [e["occurred_at"] for e in mine if max(e["occurred_at"], e["recorded_at"] or 0) <= by]
    return sorted([m["joined_at"], *known])


def gaps_of(m: dict, made: dict, by: int, longer: int) -> list[tuple[int, float]]:
    """Return the gaps (from, until) between signs of life that are longer than so many days."""
    signs = [*signs_of(m, made, by), math.inf]
    return [(a, b) for a, b in pairwise(signs) if b - a > longer * DAY]


def absences_of(m: dict, made: dict) -> list[tuple[int, float]]:
    """Return when a member who cancelled was away: from the first leaving on, wherever no later spell is."""
    if m["churned_at"] is None:
        return []
    later = [
        (s["started_at"], math.inf if s["ended_at"] is None else s["ended_at"])
        for s in made["spells"]
        if s["member"] == m["member"] and s["started_at"] >= m["churned_at"]
    ]
    edges = sorted({m["churned_at"], *(end for _, end in later if end < math.inf)})
    free = [at for at in edges if not any(start <= at < end for start, end in later)]
    return [(at, min([start for start, _ in later if start > at], default=math.inf)) for at in free]


def moves_of(m: dict, spell: dict, absences: list[tuple[int, float]]) -> list[tuple[str, int]]:
    """Return what a member does on which days, looking every day whether they are with us at its end."""
    away = [False] + [
        any(a <= m["joined_at"] + day * DAY < b for a, b in absences) for day in range(spell["follow_up"] + 1)
    ]
    days = enumerate(pairwise(away))
    steps = [("left" if now else "back", day) for day, (was, now) in days if was != now]
    return [("entered", 0), *steps, ("ended_away" if away[-1] else "ended", spell["follow_up"])]
