"""Activity: what members did by day, against a count in Python; and events that do not fit into memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.data import activity as made_of
from sojourn.data.activity import SCHEMA, activity, known_by, micros, write_activity
from sojourn.data.engine import connect
from sojourn.data.localtime import clock

ZONE = "Europe/Berlin"
AS_OF = datetime(2025, 4, 2, 3, 0, 0, 250_000, UTC)
FROM = datetime(2025, 3, 27, tzinfo=UTC)  # the clocks change on 30 March
CLOCK = clock(ZONE, first=FROM, last=AS_OF)
DAY = timedelta(days=1)
EVENTS = pa.schema(
    [
        ("member", pa.int64()),
        ("occurred_at", pa.timestamp("us", tz="UTC")),
        ("amount", pa.decimal128(18, 4)),
        ("recorded_at", pa.timestamp("us", tz="UTC")),
    ]
)

#: Instants of all kinds, those around the borders of the 24 hours before `AS_OF` and of days among them.
INSTANTS = st.one_of(
    st.datetimes(FROM.replace(tzinfo=None), (AS_OF + DAY).replace(tzinfo=None)).map(
        lambda at: at.replace(tzinfo=UTC)
    ),
    st.builds(
        lambda days, off: AS_OF - days * DAY + off * timedelta(microseconds=1),
        st.integers(0, 5),
        st.integers(-1, 1),
    ),
    st.builds(
        lambda day, off: (
            datetime(2025, 3, day, tzinfo=ZoneInfo(ZONE)).astimezone(UTC) + timedelta(microseconds=off)
        ),
        st.integers(28, 31),
        st.integers(-1, 1),
    ),
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "member": st.integers(0, 3),
            "occurred_at": INSTANTS,
            "amount": st.one_of(st.none(), st.decimals(-99, 99, places=4)),
            "recorded_at": st.one_of(st.none(), INSTANTS),
        }
    ),
    max_size=25,
)


def ago(instant) -> int:
    """Return how many whole days before `AS_OF` the 24 hours end in which an instant lies."""
    return (AS_OF - instant) // DAY


def counted(rows):
    """Return the rows of activity, by a count in Python."""
    groups = defaultdict(list)
    for row in rows:
        known_at = max(row["occurred_at"], row["recorded_at"] or row["occurred_at"])
        if known_at <= AS_OF:
            day = row["occurred_at"].astimezone(ZoneInfo(ZONE)).date()
            groups[row["member"], day, ago(row["occurred_at"]), ago(known_at)].append(row)
    last = (micros(AS_OF) - micros(AS_OF) % (86_400 * 10**6)) // (86_400 * 10**6)
    found = []
    for (member, day, _, known), some in groups.items():
        at = [micros(row["occurred_at"]) for row in some]
        amounts = [row["amount"] for row in some if row["amount"] is not None]
        paid = sum(amounts, Decimal(0)) if amounts else None
        bought = sum(amount > 0 for amount in amounts)
        found.append((member, day, last - known, len(some), min(at), max(at), bought, paid))
    return sorted(found, key=str)


@settings(deadline=None)
@given(rows=ROWS)
def test_activity_is_what_a_count_by_day_gives(rows) -> None:
    events = ibis.memtable(pa.Table.from_pylist(rows, schema=EVENTS))
    table = activity(events, AS_OF, CLOCK).to_pyarrow().cast(SCHEMA)
    assert sorted((tuple(row.values()) for row in table.to_pylist()), key=str) == counted(rows)


@settings(deadline=None)
@given(rows=ROWS, days=st.integers(0, 6))
def test_what_was_known_days_ago_needs_no_events(rows, days) -> None:
    cut = AS_OF - days * DAY
    events = ibis.memtable(pa.Table.from_pylist(rows, schema=EVENTS))
    table = activity(events, AS_OF, CLOCK)
    known = table.filter(known_by(table, cut, AS_OF)).n.sum().to_pyarrow().as_py() or 0
    assert known == sum(max(r["occurred_at"], r["recorded_at"] or r["occurred_at"]) <= cut for r in rows)


@settings(deadline=None)
@given(rows=ROWS, days=st.integers(1, 3))
def test_a_later_as_of_leaves_rows_as_they_are(rows, days) -> None:
    rows = [row for row in rows if max(row["occurred_at"], row["recorded_at"] or FROM) <= AS_OF]
    events = ibis.memtable(pa.Table.from_pylist(rows, schema=EVENTS))
    first, later = (
        sorted(map(str, activity(events, at, CLOCK).to_pyarrow().to_pylist()))
        for at in (AS_OF, AS_OF + days * DAY)
    )
    assert first == later


def test_a_cut_at_another_time_of_day_is_refused() -> None:
    events = ibis.memtable(pa.Table.from_pylist([], schema=EVENTS))
    with pytest.raises(ValueError, match="whole days before"):
        known_by(activity(events, AS_OF, CLOCK), AS_OF - timedelta(hours=5), AS_OF)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_file_is_the_same_however_it_is_cut(tmp_path, monkeypatch, threads) -> None:
    rows = [
        {"member": m, "occurred_at": FROM + timedelta(hours=7 * i), "amount": None, "recorded_at": None}
        for m in range(40)
        for i in range(m)
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=EVENTS), tmp_path / "events.parquet", row_group_size=50)
    written = []
    for at_once in (1, 1_000_000):
        monkeypatch.setattr(made_of, "_AT_ONCE", at_once)
        write_activity(connect(threads=threads), tmp_path, AS_OF, CLOCK)
        written.append((tmp_path / "activity.parquet").read_bytes())
    assert written[0] == written[1]
    assert sum(pq.read_table(tmp_path / "activity.parquet")["n"].to_pylist()) == sum(
        row["occurred_at"] <= AS_OF for row in rows
    )


DOOR = """
import hashlib, json, sys
from pathlib import Path
import duckdb
from sojourn.core.params import Params, read_params
from sojourn.data.cells import _exact
from sojourn.data.cells.segments import expressions
from sojourn.data.engine import connect
from sojourn.data.prepare import prepare
from sojourn.data.tidy import Tidy
folder, limit = Path(sys.argv[1]), sys.argv[2]
params = Params({**read_params().raw, "engine": {"memory_limit": limit}})
prepare(params, "demo", raw={"events": folder / "events.parquet"}, into=folder / limit, threads=2)
engine = connect(memory_limit=limit, threads=2, scratch=folder)
tables = {n: engine.read_parquet(folder / limit / f"{n}.parquet") for n in ("members", "events", "activity")}
tidy = Tidy("demo", tables, json.loads((folder / limit / "tidy.json").read_text()))
cells = expressions(tidy, params.for_cells("demo", "segments"))
found = {name: _exact(table, name).to_pandas().to_csv() for name, table in cells.items()}
for path in (folder / limit).glob("*.parquet"):
    found[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
digest = hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()
# the peak since this program was started; what `resource` says holds that of the process that started it
status = Path("/proc/self/status").read_text()
peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
print(json.dumps([digest, peak / 1024]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much memory a program took at most")
def test_events_that_do_not_fit_into_memory_pass_with_the_same_bytes(tmp_path) -> None:
    """1.2 million rows take some 350 MB in the engine; with 150 MB it spills, and everything is the same."""
    connect().raw_sql(
        f"""COPY (SELECT 'm' || (i * 7919 % 15000) AS member_id, 'view' || i % 9 AS event,
            TIMESTAMPTZ '2024-02-01 00:00:00+00' + to_seconds(i * 29) AS occurred_at,
            CASE WHEN i % 20 = 0 THEN CAST(i % 300 AS DECIMAL(18, 4)) / 10 END AS amount
            FROM range(1200000) t(i)) TO '{tmp_path}/events.parquet' (FORMAT parquet)"""
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", DOOR, str(tmp_path), limit],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for limit in ("150MB", "4GB")
    ]
    said = [run.communicate() for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    (small, little), (large, much) = (json.loads(out) for out, _ in said)
    assert small == large
    # the limit is the engine's; Python, its packages and one row group in Arrow take some 350 MB beside it,
    # and 700 MB leave room for another release of each
    assert little < min(700, much)
