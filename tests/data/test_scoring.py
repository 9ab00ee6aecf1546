"""Scoring: the engine, the SQL that is handed out and Python give every member the same segment."""

import itertools
import os
from contextlib import contextmanager
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings

import postgres_server
from sojourn.core.measures import Kind
from sojourn.core.results.take_away import Condition, Leaf, Points
from sojourn.data.engine import connect
from sojourn.data.rule_code import rule_sql, segment_code
from take_away_rules import (
    BOUNDS,
    COLUMNS,
    NAMES,
    any_counts,
    card,
    counts,
    rules,
    small_card,
    small_tree,
    tree,
)

TYPES = pa.schema([(name, pa.decimal128(38, 9) if name == "value" else pa.int64()) for name in COLUMNS])


@pytest.fixture(scope="module")
def engine():
    return connect(threads=1)


def held(frame):
    """Return counts as an engine takes them, members numbered."""
    columns = [pa.array([None if pd.isna(v) else v for v in frame[f.name]], f.type) for f in TYPES]
    return pa.table([pa.array(range(len(frame)), pa.int64()), *columns], ["member", *TYPES.names])


def by_sql(engine, rule, table):
    with _named(engine, table):
        rows = engine.raw_sql(rule_sql(rule)).fetchall()
    return [name for _, name in sorted(rows)]


@contextmanager
def _named(engine, table):
    engine.con.register("member_counts", table)
    try:
        yield
    finally:
        engine.con.unregister("member_counts")


def by_code(engine, rule, table):
    counted = ibis.memtable(table)
    coded = counted.select("member", segment=segment_code(counted, rule)).order_by("member")
    return engine.to_pyarrow(coded)["segment"].to_pylist()


@settings(max_examples=40)
@given(rule=rules(), members=any_counts())
def test_sql_gives_every_row_the_segment_that_python_gives(engine, rule, members):
    assert by_sql(engine, rule, held(members)) == list(rule.named(members))


@settings(max_examples=15)
@given(rule=rules(), members=any_counts())
def test_the_engine_gives_every_row_the_segment_that_python_gives(engine, rule, members):
    assert by_code(engine, rule, held(members)) == list(rule.assign(members))


def edges():
    """Return members on, just below and just above every bound, and odd ones."""
    days = [30, 120, 600, 999_983]
    on = [
        {"observed_days": d, "active_days": n + step, "recency_days": m, "value": v}
        for d, step in itertools.product(days, (-1, 0, 1))
        for n in (round(b * d / 30) for b in BOUNDS[0])
        for m in (0, 1, 7, 30)
        for v in (Decimal(0), *(Decimal(str(b)) * d / 30 for b in BOUNDS[2]))
    ]
    odd = [
        {"value": Decimal("-999999999999.9999")},
        {"value": Decimal("0.0001")},
        {"events": 10**12, "kind_2": 10**12 - 1},
        {"events": 3, "kind_2": 1},
        {"events": 0, "kind_2": 0},
        {"observed_days": 29},
        {"observed_days": None},
        {"value": None},
        {"active_last": 0, "active_before": 10**12},
    ]
    usual = counts(active_days=[5]).iloc[0].to_dict()
    frame = pd.DataFrame([usual | row for row in [*on, *odd]], columns=list(COLUMNS), dtype=object)
    frame["value"] = [None if v is None else v.quantize(Decimal("0.0001")) for v in frame["value"]]
    return frame


def every_rule():
    """Return rules that ask for every bound."""
    halves = [
        tree([Leaf((Condition(m, None, b),), 0, 20, 1.0), Leaf((Condition(m, b, None),), 1, 20, 1.0)])
        for m, bounds in BOUNDS.items()
        for b in bounds
    ]
    cards = [card([Points(m, bounds, tuple(range(len(bounds) + 1)))], (1, 2)) for m, bounds in BOUNDS.items()]
    return [small_tree(), small_card(), tree([Leaf((), 2, 20, 1.0)]), *halves, *cards]


def test_members_on_bounds_and_odd_ones_are_the_same_in_sql(engine):
    members = edges()
    table = held(members)
    for rule in every_rule():
        assert by_sql(engine, rule, table) == list(rule.named(members))


def test_the_members_at_the_edges_are_on_the_bounds():
    members = edges().dropna().astype({"active_days": "int64"})
    for m, bounds in BOUNDS.items():
        values = small_tree().measures[m].of(members)
        on = {b for b in bounds if (values == b).any()}
        assert on == set(bounds) or m > 2


@pytest.fixture(scope="module")
def server():
    found = postgres_server.binaries()
    if found is None and os.environ.get("CI") != "true":
        pytest.skip("PostgreSQL is not here (it has to be where CI=true)")
    with postgres_server.running() as started:
        yield started


def test_members_on_bounds_and_odd_ones_are_the_same_in_postgresql(server):
    members = edges()
    with server.connect() as connection:
        types = ", ".join(f"{f.name} {'numeric(38, 9)' if f.name == 'value' else 'bigint'}" for f in TYPES)
        connection.execute(f"CREATE TABLE member_counts (member bigint, {types})")
        with connection.cursor().copy("COPY member_counts FROM STDIN") as copy:
            for row in held(members).to_pylist():
                copy.write_row(list(row.values()))
        for rule in every_rule():
            rows = sorted(connection.execute(rule_sql(rule)).fetchall())
            assert [name for _, name in rows] == list(rule.named(members))
        connection.execute("DROP TABLE member_counts")


def test_money_held_as_floats_is_read_to_four_decimals(engine):
    members = edges()
    table = held(members)
    floats = [None if v is None else float(v) for v in members["value"]]
    inexact = table.set_column(table.schema.get_field_index("value"), "value", pa.array(floats, pa.float64()))
    small = [v is None or abs(v) < 1e9 for v in floats]
    for rule in every_rule():
        named = rule.named(members)[small]
        assert list(np.array(by_sql(engine, rule, inexact), dtype=object)[small]) == list(named)


def test_sums_of_prices_held_as_floats_are_on_their_bounds(engine):
    """0.1 + 0.7 is a little less than 0.8 as a float, and 0.1 + 0.2 a little more than 0.3."""
    sums = [
        0.1 + 0.7,
        0.1 + 0.2,
        1.1 + 2.2,
        -(0.1 + 0.7),
        0.57 * 100 / 100,
        4.35 * 100 / 100,
        0.00005,
        -0.00005,
    ]
    on = [round(value, 2) for value in sums[:-2]]
    members = counts(observed_days=[30] * len(sums), value=sums)
    exact = members.assign(value=[Decimal(str(v)).quantize(Decimal("0.0001"), ROUND_HALF_UP) for v in sums])
    table = pa.Table.from_pandas(members.assign(member=range(len(sums))), preserve_index=False)
    for bound in [*on, 0.0001, 0.0]:
        rule = tree(
            [Leaf((Condition(2, None, bound),), 0, 20, 1.0), Leaf((Condition(2, bound, None),), 1, 20, 1.0)]
        )
        assert list(rule.assign(members)) == list(rule.assign(exact))
        assert by_sql(engine, rule, table) == list(rule.named(members))
        assert list(rule.assign(members.astype({"value": object}))) == list(rule.assign(members))


def test_the_sql_explains_what_to_count_and_nothing_leaves_its_comments(engine):
    text = rule_sql(small_tree())
    heading, query = text.split("SELECT", 1)
    assert all(line.startswith("--") for line in heading.splitlines())
    assert "recency_days: whole days since the last event; of members without any, observed_days" in heading
    assert "kind_2: events 'it's -- a \"kind\" of'" in heading  # a line break in its name is a blank
    assert "value: sum of the amounts of events in EUR" in heading
    assert "--" not in query.replace(NAMES[1].replace("'", "''"), "")
    assert len(engine.con.extract_statements(text)) == 1


def test_invisible_marks_in_names_are_escaped_in_comments():
    kinds = (Kind("a"), Kind("b\u2028\u202e\x1b[31mc"))
    text = rule_sql(replace(small_tree(), counting=replace(small_tree().counting, kinds=kinds)))
    assert "kind_2: events 'b \\u202e\\x1b[31mc'" in text
    assert not any(mark in text for mark in "\u2028\u202e\x1b")


def test_the_sql_is_the_same_bytes_each_time():
    assert rule_sql(small_card()) == rule_sql(small_card())
