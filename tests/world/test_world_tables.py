"""Tables of a world keep the contract and agree with each other; draws do not move when others are added."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sojourn as sj
from sojourn.core.errors import ParameterError
from sojourn.core.schema import CONTRACT
from sojourn.world.catalogue import world_parameters
from sojourn.world.make import make_block, whole_tables
from sojourn.world.parameters import EVENTS, FEATURES, REASONS, Scheme, Trial
from sojourn.world.randomness import BLOCK, blocks, stream
from sojourn.world.tables.arrow import COLUMNS, schema

AS_OF = "2025-07-01T00:00:00Z"
START, END = pd.Timestamp("2023-12-31T00:00:00Z"), pd.Timestamp(AS_OF)
#: Members may have joined so many days before observation, and everything else begins with it.
BEFORE = {("members", "joined_at"): 60, ("spells", "started_at"): 60, ("spells", "ended_at"): 60}
BEFORE |= {("items", "published_at"): 60}
ARROW = {"id": "string", "category": "string", "text": "string", "instant": "timestamp[us, tz=UTC]"}
ARROW |= {"integer": "int64", "decimal": "decimal128(18, 4)", "bool": "bool"}

each_table = pytest.mark.parametrize("table", list(COLUMNS))


def test_a_world_holds_all_tables_of_the_contract(world):
    assert set(world.tables) == set(COLUMNS) == set(CONTRACT)


@each_table
def test_columns_are_those_of_the_contract_in_its_order_and_types(world, table):
    contract, frame = CONTRACT[table], getattr(world, table)
    in_order = [column.name for column in contract.columns if column.name in frame.columns]
    assert list(frame.columns) == in_order
    assert set(contract.required) <= set(frame.columns)
    assert {field.name: str(field.type) for field in schema(table)} == {
        name: ARROW[contract.column(name).type] for name in in_order
    }
    for name in in_order:
        column = contract.column(name)
        assert column.nullable or frame[name].notna().all(), name
        known = frame[name].dropna()
        assert column.at_least is None or (known >= column.at_least).all(), name
        assert not column.one_of or set(known) <= set(column.one_of), name


@each_table
def test_keys_do_not_repeat_and_no_table_is_empty(world, table):
    key, frame = list(CONTRACT[table].key), getattr(world, table)
    assert not key or not frame.duplicated(key).any()
    assert len(frame) > 0


@each_table
def test_nothing_happens_at_as_of_or_later_or_before_observation(world, table):
    frame = getattr(world, table)
    for column in CONTRACT[table].columns:
        if column.type == "instant" and column.name in frame:
            known = frame[column.name].dropna()
            assert known.max() < END, column.name
            earliest = START - np.timedelta64(BEFORE.get((table, column.name), 0), "D")
            assert known.min() >= earliest, column.name


@each_table
def test_what_ends_ends_after_it_began(world, table):
    contract, frame = CONTRACT[table], getattr(world, table)
    for end in contract.ends:
        known = frame[frame[end.column].notna()]
        assert (known[end.column] >= known[contract.time]).all(), end.column
        for name in end.known_with:
            assert frame[name][frame[end.column].isna()].isna().all(), name


@each_table
def test_every_member_named_exists(world, table):
    frame, ids = getattr(world, table), set(world.members.member_id)
    for name in ("member_id", "referred_by"):
        if name in frame:
            assert set(frame[name].dropna()) <= ids
    if "item_id" in frame:
        assert set(frame.item_id.dropna()) <= set(world.items.item_id)


def test_ids_are_text_of_the_platform(world):
    assert world.members.member_id.tolist() == [f"M{number:07d}" for number in range(6_000)]
    assert world.items.item_id.tolist() == [f"I{number:04d}" for number in range(2_000)]


def test_members_leave_after_they_join_and_say_why(world):
    members = world.members
    gone = members.churned_at.notna()
    assert (members.churned_at[gone] > members.joined_at[gone]).all()
    assert (members.churned_at[gone] >= START).all()
    assert (members.churn_reason.notna() == gone).all()
    assert set(members.churn_reason[gone]) == set(REASONS)
    assert 0.4 < gone.mean() < 0.7


def test_consent_may_be_given_refused_or_unknown(world, ruler):
    consent = world.members.consent
    codes = np.where(consent.isna(), 2, np.where(consent == True, 0, 1))  # noqa: E712
    assert ruler.shares(codes, [0.98, 0.01, 0.01])


def stays(world) -> pd.DataFrame:
    """Return begin and end of the stays of every member, at most two, from `members` and `spells` alone."""
    members = world.members[["member_id", "joined_at", "churned_at"]]
    again = world.spells.merge(members, on="member_id")
    again = again[again.started_at >= again.churned_at]
    assert not again.member_id.duplicated().any()
    return members.merge(again[["member_id", "started_at", "ended_at"]], on="member_id", how="left")


def test_events_lie_within_the_stays_of_their_members(world):
    events = world.events.merge(stays(world), on="member_id")
    at, known = events.occurred_at, events.started_at.notna()
    first = (at >= events.joined_at) & (at < events.churned_at.fillna(END))
    second = known & (at >= events.started_at.fillna(END)) & (at < events.ended_at.fillna(END))
    assert (first | second).all()
    assert second.sum() > 3_000


@pytest.mark.parametrize(
    ("table", "at"), [("messages", "sent_at"), ("costs", "at"), ("assignments", "assigned_at")]
)
def test_nothing_is_sent_paid_or_assigned_but_within_the_first_stay(world, table, at):
    frame = getattr(world, table).merge(stays(world), on="member_id")
    assert (frame[at] >= frame.joined_at).all()
    assert (frame[at] < frame.churned_at.fillna(END)).all()


def test_who_joined_under_observation_begins_with_joining(world):
    events, members = world.events, world.members
    first = events[events.event == "join"].set_index("member_id").occurred_at
    assert first.index.is_unique
    joined = members.set_index("member_id").joined_at
    assert (joined[first.index] == first).all()
    # two in a hundred become known late, and some of these not before as_of
    assert len(first) / (members.joined_at >= START).sum() > 0.995
    assert not set(first.index) & set(members.member_id[members.joined_at < START])


def test_events_are_ordered_by_member_and_instant(world):
    number = world.events.member_id.str[1:].astype(int)
    ordered = world.events.assign(number=number).sort_values(["number", "occurred_at"], kind="stable")
    assert (ordered.index == world.events.index).all()


def test_amounts_are_decimals_of_purchases_only(world):
    paid = world.events[world.events.amount.notna()]
    assert set(paid.event) == {"purchase"}
    assert world.events.amount[world.events.event == "purchase"].notna().all()
    assert all(isinstance(amount, Decimal) and amount == round(amount, 2) for amount in paid.amount)
    assert (paid.amount != 0).all()
    assert set(world.events.event) == set(EVENTS)
    assert set(world.events.feature) <= set(FEATURES)


def test_pages_are_timed_at_login_only(world):
    timed = world.events.load_ms.notna()
    assert (timed == (world.events.event == "login")).all()
    assert (world.events.load_ms[timed] > 0).all()


def test_two_rows_in_a_hundred_become_known_late_by_three_days_on_average(world, ruler):
    events = world.events
    late = events.recorded_at.notna()
    assert (events.recorded_at[late] > events.occurred_at[late]).all()
    assert events.recorded_at.max() < END
    # of those of a month before as_of nearly all are known
    old = events.occurred_at < END - np.timedelta64(40, "D")
    assert ruler.share(late[old].to_numpy(), 0.02)
    delay = (events.recorded_at - events.occurred_at)[late & old].dt.total_seconds() / 86_400
    assert ruler.mean(delay.to_numpy(), 3.0 + 0.5 / 86_400)
    # of the last day's late rows, a mean of half a day before as_of, one in seven is known
    last = events.occurred_at >= END - np.timedelta64(1, "D")
    assert ruler.share(late[last].to_numpy(), 0.02 * 0.151 / 0.983)


def test_costs_of_purchases_belong_to_purchases(world):
    """To the cent for all but rows that are not known yet: every cost has its purchase in `events`."""
    costs = world.costs[world.costs.scheme == "welcome_coupon"]
    bought = world.events[(world.events.event == "purchase")]
    bought = bought[bought.amount > 0]
    found = costs.merge(
        bought, left_on=["member_id", "at"], right_on=["member_id", "occurred_at"], how="left"
    )
    assert set(costs.amount) == {Decimal("0.5000")}
    assert found.event.notna().mean() > 0.999
    assert len(costs) > 500


def test_who_was_brought_joined_after_who_brought_them(world):
    members = world.members
    brought = members[members.referred_by.notna()].merge(
        members, left_on="referred_by", right_on="member_id", suffixes=("", "_by")
    )
    assert len(brought) > 800
    assert set(brought.channel) == {"referral"}
    gap = brought.joined_at - brought.joined_at_by
    assert (gap > np.timedelta64(0, "D")).all()
    assert (gap <= np.timedelta64(120, "D")).all()


def test_spells_tile_membership(world):
    spells = world.spells.merge(stays(world)[["member_id", "joined_at", "churned_at"]], on="member_id")
    first = spells[spells.started_at < spells.churned_at.fillna(END)]
    begins = first.drop_duplicates("member_id")
    assert (begins.started_at == begins.joined_at).all()
    assert len(begins) == len(world.members)
    last = first.drop_duplicates("member_id", keep="last")
    gone = last.churned_at.notna()
    # who leaves in a pause has no spell to end
    paused = last.end_reason == "pause"
    assert (last.ended_at[gone & ~paused] == last.churned_at[gone & ~paused]).all()
    assert last.ended_at[~gone & ~paused].isna().all()
    assert paused.mean() < 0.05


def test_no_observed_table_holds_the_truth(world):
    hidden = set(world.truth.members.columns) - {"member_id"}
    for table in world.tables.values():
        assert not hidden & set(table.columns)
    segments = set(world.truth.members.segment)
    for table in world.tables.values():
        for name in table.select_dtypes("object"):
            assert not segments & set(table[name].dropna().head(50_000).astype(str)), name


def test_a_world_prints_in_one_line(world):
    assert repr(world).startswith("World 'demo' of seed 3 (members 6,000, events ")
    assert repr(world).endswith("as of 2025-07-01T00:00:00Z)")
    assert repr(world.truth) == "Truth of a world of 6,000 members in 5 hidden segments"


def test_the_same_seed_is_the_same_world_and_another_is_not():
    asked = {"members": 300, "as_of": AS_OF, "start": "2025-05-01T00:00:00Z"}
    first, again, other = (sj.make_world(seed=seed, **asked) for seed in (1, 1, 2))
    for table in first.tables:
        pd.testing.assert_frame_equal(getattr(first, table), getattr(again, table))
    pd.testing.assert_frame_equal(first.truth.members, again.truth.members)
    assert first.truth.summary == again.truth.summary
    for table in ("members", "events", "spells", "messages", "items"):
        assert not getattr(first, table).equals(getattr(other, table))


def test_whole_blocks_are_the_same_in_a_world_of_any_size():
    asked = {"seed": 2**32, "as_of": AS_OF, "start": "2025-04-01T00:00:00Z"}
    small, large = sj.make_world(members=BLOCK, **asked), sj.make_world(members=BLOCK + 201, **asked)
    for table in small.tables:
        part, whole = getattr(small, table), getattr(large, table)
        # prospects who did not join belong to blocks too, which their own ids tell
        if table == "touches":
            whole = whole[whole.prospect_id.isin(set(part.prospect_id))]
        elif "member_id" in whole:
            whole = whole[whole.member_id <= f"M{BLOCK - 1:07d}"]
        pd.testing.assert_frame_equal(part, whole.reset_index(drop=True), check_dtype=False)
    truth = large.truth.members[:BLOCK]
    pd.testing.assert_frame_equal(small.truth.members, truth)


def tables_of(make_frame, parameters) -> dict:
    frame = make_frame(BLOCK, seed=9, parameters=parameters, start="2024-12-01T00:00:00Z")
    return {**make_block(frame, 0, 1_000).tables, **whole_tables(frame)}


@pytest.fixture(scope="module")
def demo_tables(make_frame) -> dict:
    return tables_of(make_frame, world_parameters())


def change(**parts):
    """Return the demo with some numbers of its parts changed: ``change(activity={"late": 0.5})``."""
    made = world_parameters()
    return replace(made, **{name: replace(getattr(made, name), **new) for name, new in parts.items()})


def with_another_trial():
    made = world_parameters()
    trial = Trial("another", (Scheme("none"), Scheme("null")), layer=2, opens=200, closes=91)
    return replace(made, trials=(*made.trials, trial))


@pytest.mark.parametrize(
    ("parameters", "moved"),
    [
        (world_parameters(), set()),
        (with_another_trial(), {"assignments"}),
        (replace(world_parameters(), rollout=None), {"assignments", "costs"}),
        (change(activity={"late": 0.5}), {"events"}),
        (change(contact={"keen": 1.0}), {"messages"}),
        (change(churn={"involuntary": 0.9}), {"spells"}),
        (change(surveys={"answers_slope": 1.0}), {"responses"}),
    ],
    ids=["nothing", "null trial", "no roll-out", "late rows", "opening", "failed payments", "surveys"],
)
def test_what_is_drawn_for_one_table_moves_no_other(make_frame, demo_tables, parameters, moved):
    found = tables_of(make_frame, parameters)
    assert {name for name, table in found.items() if not table.equals(demo_tables[name])} == moved


def test_another_trial_leaves_the_assignments_of_the_others_as_they_are(make_frame, demo_tables):
    found = tables_of(make_frame, with_another_trial())["assignments"].to_pandas()
    others = found[found.trial != "another"].reset_index(drop=True)
    assert len(others) < len(found)
    pd.testing.assert_frame_equal(others, demo_tables["assignments"].to_pandas())


@given(members=st.integers(1, 50_000))
@settings(deadline=None)
def test_blocks_cover_all_members_once(members):
    found = list(blocks(members))
    assert [block for block, _ in found] == list(range(len(found)))
    assert sum(size for _, size in found) == members
    assert all(size == BLOCK for _, size in found[:-1])
    assert 1 <= found[-1][1] <= BLOCK


def test_streams_differ_by_seed_table_and_block():
    keys = [(seed, table, block) for seed in (0, 1) for table in ("members", "events") for block in (0, 1)]
    first = {stream(*key).integers(2**62) for key in keys}
    assert len(first) == len(keys)
    assert stream(1, "members", 0).integers(2**62) == stream(1, "members", 0).integers(2**62)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"members": 0}, "'members' must be at least 1, got 0"),
        ({"seed": -1}, "'seed' must be at least 0, got -1"),
        ({"start": "2025-07-01T00:00:00Z"}, "'start' must be at least one day before 'as_of'"),
        ({"as_of": "2025-07-01"}, "'as_of' must say its offset"),
        ({"world": "demos"}, "demos"),
        ({"effects": 9}, "'effects' must be"),
    ],
)
def test_a_world_that_cannot_be_is_refused_by_name(change, said):
    with pytest.raises(ParameterError, match=said):
        sj.make_world(**{"members": 10, "seed": 1, "as_of": AS_OF, **change})


def test_one_member_is_a_world():
    world = sj.make_world(members=1, seed=4, as_of=AS_OF)
    assert len(world.members) == len(world.truth.members) == 1
    assert set(world.tables) == set(COLUMNS)
