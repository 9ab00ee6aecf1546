"""What stands behind the door, table by table."""

from __future__ import annotations

import csv
import json
import stat
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sojourn.core.errors import DataError
from sojourn.core.params import read_params
from sojourn.core.schema import AGE_BANDS, CONTRACT
from sojourn.data.parquet import ARROW
from sojourn.data.prepare import prepare
from sojourn.data.pseudonyms import Key
from sojourn.data.quality import SCHEMAS
from sojourn.data.tidy import open_tidy

MEMBERS = """member_id,joined_at,churned_at,churn_reason,plan,birth_year,referred_by,consent,shoe_size
b,2025-01-02T10:00:00Z,2025-03-01T00:00:00Z,price,annual,1990,a,true,40
a,2025-01-02T10:00:00Z,,,monthly,2020,a,,41
c,2025-01-01T00:00:00+02:00,2025-08-01,too late,monthly,,nobody,false,42
d,2025-07-02,,,monthly,1890,,true,43
e,2025-06-30,,,family,2001.0,b,yes,
"""
EVENTS = """member_id,occurred_at,event,amount,recorded_at
e,2025-06-30T10:00:00Z,purchase,-2.5,
b,2025-01-03T10:00:00.5Z,purchase,10,2025-01-04
b,2025-01-03 10:00,login,,
a,2025-07-03,login,,
a,2025-01-01,login,,
c,2025-01-03,login,,
b,2025-06-30,login,,2025-07-02
"""
KEPT = {"after_as_of": "leave_out", "clock": "utc"}


def rows(folder: Path, table: str) -> list[dict]:
    return pq.read_table(folder / f"{table}.parquet").to_pylist()


def quality(folder: Path) -> list[dict]:
    with (folder / "quality.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.fixture
def shop(project) -> Path:
    params = project.case("shop", {"members": MEMBERS, "events": EVENTS}, prepare=KEPT)
    return prepare(params, "shop")


def test_members_are_numbered_in_the_order_of_joining_then_of_the_id(shop) -> None:
    found = rows(shop, "members")
    assert [(m["member"], m["joined_at"], m["plan"]) for m in found] == [
        (0, utc(2025, 1, 2, 10), "monthly"),  # a, before b, who joined at the same time
        (1, utc(2025, 1, 2, 10), "annual"),
        (2, utc(2025, 6, 30), "family"),
    ]


def test_who_joined_later_or_refused_is_not_there(shop) -> None:
    assert {e["member"] for e in rows(shop, "events")} == {0, 1, 2}
    assert json.loads((shop / "tidy.json").read_text(encoding="utf-8"))["rows"] == {"members": 3, "events": 4}


def test_referrers_are_numbers_and_nobody_referred_themselves(shop) -> None:
    assert [m["referred_by"] for m in rows(shop, "members")] == [None, 0, 1]


def test_age_bands_stand_in_place_of_years_of_birth(shop) -> None:
    found = rows(shop, "members")
    assert "birth_year" not in found[0]
    assert [m["age_band"] for m in found] == ["unknown", "35-44", "18-24"]  # the first is five years old


def test_events_are_in_order_and_exact(shop) -> None:
    found = rows(shop, "events")
    assert [(e["member"], e["occurred_at"], e["amount"]) for e in found] == [
        (0, utc(2025, 1, 1), None),  # before joining: kept, and noted
        (1, utc(2025, 1, 3, 10), None),
        (1, utc(2025, 1, 3, 10, 0, 0, 500000), Decimal("10.0000")),
        (2, utc(2025, 6, 30, 10), Decimal("-2.5000")),  # a refund
    ]


def test_tables_have_the_columns_and_types_of_the_contract(shop) -> None:
    for name in ("members", "events"):
        schema = pq.read_schema(shop / f"{name}.parquet")
        assert schema.names == list(CONTRACT[name].tidy)
        assert schema.types == [ARROW[kind] for kind in CONTRACT[name].tidy.values()]


def test_what_is_said_of_the_tables(shop) -> None:
    said = json.loads((shop / "tidy.json").read_text(encoding="utf-8"))
    assert said == {
        "case": "shop",
        "as_of": "2025-07-01T00:00:00Z",
        "observed_from": "2025-01-01T00:00:00Z",
        "first_instant": "2025-01-01T00:00:00Z",
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "key_id": "7c74f61d",
        "rows": {"members": 3, "events": 4},
        "read": {"members": 5, "events": 7},
        "present": {
            "members": [
                "member",
                "joined_at",
                "churned_at",
                "churn_reason",
                "plan",
                "age_band",
                "referred_by",
                "consent",
            ],
            "events": ["member", "occurred_at", "event", "amount", "recorded_at"],
        },
    }


def test_quality_counts_and_says_what_was_left_out(shop) -> None:
    found = quality(shop)
    counts = {
        (q["table"], q["column"]): (q["rows"], q["missing"], q["distinct"]) for q in found if not q["level"]
    }
    assert counts["members", "plan"] == ("5", "0", "3")
    assert counts["members", "churned_at"] == ("5", "3", "")
    assert counts["events", "amount"] == ("7", "5", "")
    findings = [
        (q["table"], q["column"], q["level"], q["finding"], q["rows_concerned"]) for q in found if q["level"]
    ]
    late = "after as_of (2025-07-01T00:00:00Z). They are left out."
    assert findings == [
        (
            "members",
            "birth_year",
            "warning",
            "an age at joining outside 18 to 110. These count as unknown.",
            "2",
        ),
        ("members", "joined_at", "warning", late, "1"),
        (
            "members",
            "churned_at",
            "warning",
            "after as_of (2025-07-01T00:00:00Z). They count as not ended.",
            "1",
        ),
        ("members", "consent", "note", "no consent. They are left out.", "1"),
        ("members", "referred_by", "note", "no other member. It counts as missing.", "2"),
        ("members", "shoe_size", "note", "not in the contract. It is not read.", "5"),
        ("events", "occurred_at", "warning", late, "1"),
        ("events", "recorded_at", "warning", late, "1"),
        (
            "events",
            "occurred_at",
            "note",
            "before the member joined. They are kept; studies read from joining on.",
            "1",
        ),
        (
            "events",
            "amount",
            "note",
            "a negative amount of 'purchase'. They count as money given back.",
            "1",
        ),
    ]


def test_an_end_later_than_as_of_is_not_known_yet(project) -> None:
    text = "member_id,joined_at,churned_at,churn_reason\n"
    text += "a,2025-01-01,2025-07-02,price\nb,2025-01-01,2025-06-02,price\n"
    params = project.case(
        "shop", {"members": text, "events": EVENTS.splitlines()[0] + "\na,2025-02-01,x,,\n"}, prepare=KEPT
    )
    found = rows(prepare(params, "shop"), "members")
    assert [(m["churned_at"], m["churn_reason"]) for m in found] == [(None, None), (utc(2025, 6, 2), "price")]


def test_an_earlier_as_of_only_leaves_out_what_came_later(project) -> None:
    events = "member_id,occurred_at,event\n" + "".join(
        f"m{i % 7},2025-0{1 + i % 6}-0{1 + i % 9},x\n" for i in range(60)
    )
    found = {}
    for as_of in ("2025-07-01T00:00:00Z", "2025-04-05T00:00:00Z"):
        params = project.case("shop", {"events": events}, prepare={**KEPT, "as_of": as_of})
        found[as_of] = [(e["occurred_at"]) for e in rows(prepare(params, "shop"), "events")]
    late, early = found.values()
    assert sorted(early) == sorted(at for at in late if at <= utc(2025, 4, 5))
    assert 0 < len(early) < len(late)


def test_members_are_derived_from_events(project) -> None:
    params = project.case(
        "shop", {"events": "member_id,occurred_at,event\nb,2025-01-03,x\na,2025-01-05,x\nb,2025-01-02,x\n"}
    )
    made = prepare(params, "shop")
    assert [(m["member"], m["joined_at"]) for m in rows(made, "members")] == [
        (0, utc(2025, 1, 2)),
        (1, utc(2025, 1, 5)),
    ]
    assert json.loads((made / "tidy.json").read_text(encoding="utf-8"))["present"]["members"] == [
        "member",
        "joined_at",
    ]


ASSIGNED = "trial,member_id,scheme,assigned_at\n"


def test_who_is_assigned_and_never_does_anything_is_a_member(project) -> None:
    """Left out, they would be missing from a trial exactly where the outcome is nothing."""
    tables = {
        "events": "member_id,occurred_at,event\nb,2025-01-03,x\na,2025-01-05,x\n",
        "assignments": ASSIGNED + "main,a,gift,2025-01-02\nmain,b,none,2025-01-09\nmain,c,none,2025-01-04\n",
    }
    made = prepare(project.case("shop", tables), "shop")
    assert [(m["member"], m["joined_at"]) for m in rows(made, "members")] == [
        (0, utc(2025, 1, 2)),  # a was assigned before the first event
        (1, utc(2025, 1, 3)),
        (2, utc(2025, 1, 4)),  # c has no event
    ]
    [said] = [f for f in rows(made, "findings") if "without any event" in f["finding"]]
    assert (said["table"], said["level"], said["concerned"], said["rows"]) == ("members", "note", 1, 3)


def test_more_silent_members_than_others_are_warned_of(project) -> None:
    tables = {
        "events": "member_id,occurred_at,event\n1,2025-01-03,x\n2,2025-01-05,x\n",
        "assignments": ASSIGNED + "main,1,gift,2025-01-02\nmain,x,none,2025-01-09\nmain,y,none,2025-01-04\n",
    }
    found = rows(prepare(project.case("shop", tables), "shop"), "findings")
    assert [f["level"] for f in found if "without any event" in f["finding"]] == ["warning"]


def test_assignments_of_nobody_who_did_anything_stop_the_door(project) -> None:
    tables = {
        "events": "member_id,occurred_at,event\n7,2025-01-03,x\n8,2025-01-05,x\n",
        "assignments": ASSIGNED + "main,7.0,gift,2025-01-02\nmain,8.0,none,2025-01-09\n",
    }
    with pytest.raises(DataError, match=r"none of 2 members has a row in `events`.*ids: whole_numbers"):
        prepare(project.case("shop", tables), "shop")


def test_an_empty_consent_counts_as_the_case_says(project) -> None:
    text = "member_id,joined_at,consent\na,2025-01-01,\nb,2025-01-01,true\nc,2025-01-01,false\n"
    tables = {
        "members": text,
        "events": "member_id,occurred_at,event\na,2025-01-05,x\nb,2025-01-05,x\nc,2025-01-05,x\n",
    }
    for empty, expected in (("agreed", 2), ("refused", 1)):
        made = prepare(project.case("shop", tables, prepare={"empty_consent": empty}), "shop")
        assert len(rows(made, "members")) == len(rows(made, "events")) == expected


def test_events_before_observation_are_left_out_and_their_members_kept(project) -> None:
    tables = {"events": "member_id,occurred_at,event\na,2024-12-05,x\na,2025-01-05,x\nb,2025-02-05,x\n"}
    made = prepare(
        project.case("shop", tables, prepare={"observed_from": "2025-01-01T00:00:00+01:00"}), "shop"
    )
    assert [e["occurred_at"] for e in rows(made, "events")] == [utc(2025, 1, 5), utc(2025, 2, 5)]
    assert [m["joined_at"] for m in rows(made, "members")] == [utc(2024, 12, 5), utc(2025, 2, 5)]
    said = json.loads((made / "tidy.json").read_text(encoding="utf-8"))
    assert (said["observed_from"], said["first_instant"]) == ("2024-12-31T23:00:00Z", "2024-12-05T00:00:00Z")


def test_times_of_a_local_clock(project) -> None:
    tables = {
        "events": "member_id,occurred_at,event\na,2025-01-05,x\na,2025-06-05 12:00,x\na,2025-06-06T12:00Z,x\n"
    }
    made = prepare(project.case("shop", tables, prepare={"clock": "local"}), "shop")
    assert [e["occurred_at"] for e in rows(made, "events")] == [
        utc(2025, 1, 4, 23),
        utc(2025, 6, 5, 10),
        utc(2025, 6, 6, 12),  # an offset that is stated goes before the clock
    ]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffwho;when;what\na;2025-01-05;x\n",
        "who\twhen\twhat\r\na\t2025-01-05\tx\r\n",
        '"who","when","what"\n"a","2025-01-05","x"\n',
        "who|when|what\na|2025-01-05|x",
    ],
    ids=[
        "semicolons and a mark at the beginning",
        "tabs and Windows ends of line",
        "quotes",
        "no end of the last line",
    ],
)
def test_layouts_of_a_csv_and_renamed_columns(project, text) -> None:
    columns = {"events": {"who": "member_id", "when": "occurred_at", "what": "event"}}
    made = prepare(project.case("shop", {"events": text}, prepare={"columns": columns}), "shop")
    [event] = rows(made, "events")
    assert (event["occurred_at"], event["event"]) == (utc(2025, 1, 5), "x")


def test_a_field_may_hold_separators_and_ends_of_line(project) -> None:
    text = 'member_id,occurred_at,event,feature\na,2025-01-05,x,"one, ""two""\nthree"\nb,2025-01-06,x,\n'
    found = rows(prepare(project.case("shop", {"events": text}), "shop"), "events")
    assert [e["feature"] for e in found] == ['one, "two"\nthree', None]


def test_a_renamed_column_goes_before_one_of_the_same_name(project) -> None:
    text = "member_id,occurred_at,event,net,amount\na,2025-01-05,x,1,2\n"
    params = project.case("shop", {"events": text}, prepare={"columns": {"events": {"net": "amount"}}})
    assert [e["amount"] for e in rows(prepare(params, "shop"), "events")] == [Decimal("1.0000")]


def test_parquet_says_the_same_as_csv(project) -> None:
    frame = pd.DataFrame(
        {
            "member_id": [7, 5, 7],
            "occurred_at": pd.to_datetime(
                ["2025-01-05T10:00:00.25", "2025-01-06", "2025-01-07"], format="ISO8601"
            ),
            "event": pd.Categorical(["x", "y", "x"]),
            "amount": [0.1, None, 1e3],
        }
    )
    text = "member_id,occurred_at,event,amount\n"
    text += "7,2025-01-05T10:00:00.25Z,x,0.1\n5,2025-01-06,y,\n7,2025-01-07,x,1e3\n"
    made = [
        prepare(project.case(name, {"events": raw}), name) for name, raw in {"a": frame, "b": text}.items()
    ]
    for table in ("members", "events", "ids"):
        first, second = ((folder / f"{table}.parquet").read_bytes() for folder in made)
        assert first == second


def test_costs_may_belong_to_nobody(project) -> None:
    events = "member_id,occurred_at,event\na,2025-01-05,x\n"
    for costs in (
        "what,amount,at\nposter,3,2025-01-01\n",
        "what,member_id,amount,at\nposter,,3,2025-01-01\n",
    ):
        made = prepare(project.case("shop", {"events": events, "costs": costs}), "shop")
        [cost] = rows(made, "costs")
        assert (cost["member"], cost["amount"]) == (None, Decimal("3.0000"))


def test_all_tables_of_the_contract_pass(project) -> None:
    tables = {
        "events": "member_id,occurred_at,event\na,2025-01-05,x\nb,2025-01-04,x\n",
        "assignments": "trial,member_id,scheme,assigned_at\nmain,a,coupon,2025-01-06\nmain,b,no,2025-01-06\n",
        "costs": "what,member_id,scheme,amount,at\ncoupon,a,coupon,2.5,2025-01-07\n",
        "spells": "member_id,started_at,ended_at,plan,price,voluntary\na,2025-01-05,2025-08-01,x,9.99,true\n",
    }
    made = prepare(project.case("shop", tables, prepare=KEPT), "shop")
    assert [(a["member"], a["scheme"]) for a in rows(made, "assignments")] == [(0, "no"), (1, "coupon")]
    [spell] = rows(made, "spells")
    assert (spell["member"], spell["ended_at"], spell["voluntary"]) == (1, None, None)
    tidy = open_tidy(read_params(), "shop")
    assert list(tidy.tables) == ["members", "events", "assignments", "costs", "spells", "activity"]


def test_a_simulated_world_brings_its_truth(project) -> None:
    folder = project.root / "data" / "raw" / "world"
    folder.mkdir(parents=True)
    pd.DataFrame({"member_id": ["a"], "occurred_at": ["2025-01-05"], "event": ["x"]}).to_parquet(
        folder / "events.parquet"
    )
    (folder / "truth.json").write_text('{"lift": 0.02}', encoding="utf-8")
    params = project.case("world", prepare={"source": "world", "tables": {}, "members": 1})
    assert json.loads((prepare(params, "world") / "tidy.json").read_text(encoding="utf-8"))["truth"] == {
        "lift": 0.02
    }
    raw = {path.stem: path for path in folder.iterdir()}
    assert json.loads((prepare(params, "world", raw=raw) / "tidy.json").read_text(encoding="utf-8"))["truth"]


SECRETS = ("canary-jane.doe@example.org", "canary-4711")


def test_ids_are_nowhere_behind_the_door(project, monkeypatch) -> None:
    monkeypatch.setenv("SOJOURN_KEY", "the key of a private test case")
    key_id = Key(b"the key of a private test case").key_id
    tables = {
        "members": (
            f"member_id,joined_at,referred_by\n{SECRETS[0]},2025-01-01,{SECRETS[1]}\n"
            f"{SECRETS[1]},2025-01-01,\n"
        ),
        "events": "member_id,occurred_at,event\n" + "".join(f"{s},2025-01-05,x\n" for s in SECRETS),
        "assignments": f"trial,member_id,scheme,assigned_at\nmain,{SECRETS[0]},none,2025-01-02\n",
        "costs": f"what,member_id,amount,at\nx,{SECRETS[0]},1,2025-01-02\n",
        "spells": f"member_id,started_at,plan\n{SECRETS[1]},2025-01-02,annual\n",
    }
    made = prepare(project.case("club", tables, public=False, prepare={"key_id": key_id}), "club")
    for path in made.iterdir():
        content = path.read_bytes()
        if path.suffix == ".parquet":  # bytes are compressed, so the values are looked at as well
            table = pq.read_table(path)
            content += repr(table.to_pydict()).encode() + repr(table.schema.metadata).encode()
        assert not any(secret.encode() in content for secret in SECRETS)


def test_a_private_case_stays_below_private_and_with_its_owner(project, monkeypatch) -> None:
    monkeypatch.setenv("SOJOURN_KEY", "the key of a private test case")
    key_id = Key(b"the key of a private test case").key_id
    before = set(project.root.rglob("*"))
    params = project.case("club", {"events": EVENTS}, public=False, prepare={"key_id": key_id, **KEPT})
    before |= set((project.root / "incoming").rglob("*")) | {project.root / "incoming"}
    made = prepare(params, "club")
    assert made == project.root / "private" / "data" / "tidy" / "club"
    new = set(project.root.rglob("*")) - before
    assert all(path.is_relative_to(project.root / "private") for path in new)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in new}
    assert set(modes.values()) == {0o700, 0o600}
    assert all(mode == (0o700 if path.is_dir() else 0o600) for path, mode in modes.items())


ORDER_MEMBERS = pd.DataFrame(
    {
        "member_id": [f"m{i}" for i in range(40)],
        "joined_at": [f"2025-01-{1 + i % 9:02d}" for i in range(40)],
        "channel": ["web" if i % 3 else None for i in range(40)],
        "referred_by": [f"m{i // 2}" if i % 4 == 1 else None for i in range(40)],
    }
)
ORDER_EVENTS = pd.DataFrame(
    {
        "member_id": [f"m{i % 40}" for i in range(300)],
        "occurred_at": [f"2025-02-{1 + i % 20:02d}" for i in range(300)],
        "event": [("login", "view", "purchase")[i % 3] for i in range(300)],
        "amount": [f"{i % 5}.50" if i % 3 == 2 else None for i in range(300)],
    }
)


@settings(deadline=None, max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**16), threads=st.sampled_from([1, 2, 5]))
def test_the_same_rows_give_the_same_bytes(project, seed, threads) -> None:
    def made(members: pd.DataFrame, events: pd.DataFrame, threads: int) -> dict[str, bytes]:
        params = project.case("shop", {"members": members, "events": events})
        return {path.name: path.read_bytes() for path in prepare(params, "shop", threads=threads).iterdir()}

    shuffled = made(
        ORDER_MEMBERS.sample(frac=1, random_state=seed),
        ORDER_EVENTS.sample(frac=1, random_state=seed + 1),
        threads,
    )
    assert shuffled == made(ORDER_MEMBERS, ORDER_EVENTS, 1)
    tables = {f"{name}.parquet" for name in ("members", "events", "ids", "activity", *SCHEMAS)}
    assert set(shuffled) == {*tables, "quality.csv", "tidy.json"}


def test_age_bands_equal_python(project) -> None:
    years = [None, *range(1880, 2026)]
    lines = [f"{i:03d},2025-03-01,{'' if year is None else year}" for i, year in enumerate(years)]
    tables = {
        "members": "member_id,joined_at,birth_year\n" + "\n".join(lines) + "\n",
        "events": "member_id,occurred_at,event\n000,2025-03-05,x\n",
    }
    found = [m["age_band"] for m in rows(prepare(project.case("shop", tables), "shop"), "members")]
    assert found == [_band(None if year is None else 2025 - year) for year in years]
    assert set(found) == set(AGE_BANDS)


def _band(age: int | None) -> str:
    if age is None or not 18 <= age <= 110:
        return "unknown"
    return "55+" if age >= 55 else next(b for b in AGE_BANDS if int(b[:2]) <= age <= int(b[3:5]))


@settings(deadline=None, max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amounts=st.lists(st.decimals(-(10**14) + 1, 10**14 - 1, places=4), min_size=1, max_size=60))
def test_amounts_are_exact(project, amounts) -> None:
    text = "member_id,occurred_at,event,amount\n" + "".join(
        f"a,2025-01-05T00:00:{i:02d}Z,x,{amount}\n" for i, amount in enumerate(amounts)
    )
    found = rows(prepare(project.case("shop", {"events": text}), "shop"), "events")
    assert [e["amount"] for e in found] == amounts


def test_rows_of_a_large_table_keep_their_numbers_and_groups(project, tmp_path) -> None:
    # more rows than one row group, and a fault near the end whose row number must be right
    n = 140_000
    frame = pa.table(
        {"member_id": [i % 50 for i in range(n)], "occurred_at": ["2025-01-05"] * n, "event": ["x"] * n}
    )
    path = project.root / "many.csv"
    frame.to_pandas().to_csv(path, index=False)
    params = project.case("shop", prepare={"tables": {"events": "many.csv"}})
    file = pq.ParquetFile(prepare(params, "shop") / "events.parquet")
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [131_072, n - 131_072]
    with path.open("a", encoding="utf-8") as out:
        out.write("1,never,x\n")
    with pytest.raises(Exception, match=r"in 1 of 140,001 rows \(for example row 140,001 'never'\)"):
        prepare(params, "shop")


def test_touches_lead_to_joining_and_only_those_after_it_are_odd(project) -> None:
    members = "member_id,joined_at\na,2025-03-01\nb,2025-03-01\n"
    touches = "prospect_id,member_id,touched_at,medium\n"
    touches += "P7,a,2025-02-01,search\nP7,a,2025-03-05,search\nP2,,2025-02-03,search\n"
    events = "member_id,occurred_at,event\na,2025-03-02,x\n"
    params = project.case(
        "shop", {"members": members, "events": events, "touches": touches}, prepare={"clock": "utc"}
    )
    folder = prepare(params, "shop")
    found = rows(folder, "touches")
    # numbers take the place of ids, in the order of the ids
    assert [(t["prospect"], t["member"]) for t in found] == [(1, 0), (1, 0), (0, None)]
    quality = csv.DictReader((folder / "quality.csv").read_text(encoding="utf-8").splitlines())
    said = [(q["column"], q["finding"], q["rows_concerned"]) for q in quality if q["level"]]
    assert said == [
        ("touched_at", "after the member joined. They are kept; nothing after joining led to it.", "1")
    ]


def test_comments_do_not_pass_the_door_and_answers_after_as_of_are_not_known(project) -> None:
    events = "member_id,occurred_at,event\na,2025-03-02,x\n"
    responses = "member_id,asked_at,survey,answered_at,score,comment\n"
    responses += "a,2025-03-02,NPS,2025-03-03,9,call me on 030 23125 000\na,2025-06-30,NPS,2025-07-02,3,\n"
    params = project.case("shop", {"events": events, "responses": responses}, prepare=KEPT)
    found = rows(prepare(params, "shop"), "responses")
    assert [sorted(r) for r in found] == [["answered_at", "asked_at", "member", "score", "survey"]] * 2
    assert [(r["answered_at"], r["score"]) for r in found] == [(utc(2025, 3, 3), 9), (None, None)]
