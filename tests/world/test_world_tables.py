"""Tables of a world keep the contract and agree with each other."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sojourn as sj
from sojourn.core.errors import ParameterError
from sojourn.core.schema import CONTRACT
from sojourn.world.activity import SESSION
from sojourn.world.make import TABLES
from sojourn.world.parameters import EVENTS, FEATURES, REASONS
from sojourn.world.randomness import BLOCK, blocks, stream
from sojourn.world.tables import schema

AS_OF = "2025-07-01T00:00:00Z"
END = pd.Timestamp(AS_OF)
ARROW = {"id": "string", "category": "string", "text": "string", "instant": "timestamp[us, tz=UTC]"}
ARROW |= {"integer": "int64", "decimal": "decimal128(18, 4)", "bool": "bool"}


@pytest.mark.parametrize("table", TABLES)
def test_columns_are_those_of_the_contract_in_its_order_and_types(world, table):
    contract, frame = CONTRACT[table], getattr(world, table)
    in_order = [column.name for column in contract.columns if column.name in frame.columns]
    assert list(frame.columns) == in_order
    assert set(contract.required) <= set(frame.columns)
    assert {field.name: str(field.type) for field in schema(table)} == {
        name: ARROW[contract.column(name).type] for name in in_order
    }
    for name in in_order:
        assert contract.column(name).nullable or frame[name].notna().all(), name


@pytest.mark.parametrize("table", TABLES)
def test_keys_do_not_repeat(world, table):
    key = list(CONTRACT[table].key)
    assert not key or not getattr(world, table).duplicated(key).any()


@pytest.mark.parametrize(("table", "rows"), [("members", 6_000), ("events", 300_000), ("assignments", 3_000)])
def test_tables_have_rows(world, table, rows):
    assert len(getattr(world, table)) >= rows


def test_ids_are_text_of_the_platform(world):
    assert world.members.member_id.iloc[123] == "M0000123"
    for table in ("events", "assignments", "costs"):
        assert set(getattr(world, table).member_id) <= set(world.members.member_id)


def test_nothing_happens_at_as_of_or_later(world):
    assert world.members.joined_at.max() < END
    assert world.members.churned_at.max() < END
    assert world.events.occurred_at.max() < END
    assert world.costs["at"].max() < END


def test_members_leave_after_they_join_and_say_why(world):
    members = world.members
    gone = members.churned_at.notna()
    assert (members.churned_at[gone] > members.joined_at[gone]).all()
    assert (members.churn_reason.notna() == gone).all()
    assert set(members.churn_reason[gone]) == set(REASONS)
    assert 0.4 < gone.mean() < 0.65


def test_events_lie_within_membership_and_begin_with_joining(world):
    events = world.events.merge(world.members[["member_id", "joined_at", "churned_at"]], on="member_id")
    assert (events.occurred_at >= events.joined_at).all()
    assert (events.occurred_at < events.churned_at.fillna(END)).all()
    first = events.groupby("member_id").first()
    assert (first.event == "join").all()
    assert (first.occurred_at == first.joined_at).all()
    assert len(first) == len(world.members)


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


def test_a_refund_follows_the_purchase_it_pays_back(world):
    paid = world.events[world.events.amount.notna()]
    back = paid[paid.amount < 0]
    bought = paid[paid.amount > 0].assign(amount=lambda t: -t.amount)
    pairs = back.merge(bought, on=["member_id", "amount"])
    days = (pairs.occurred_at_x - pairs.occurred_at_y).dt.total_seconds() / 86_400
    matched = pairs[days.isin([1.0, 2.0, 3.0])]
    assert matched.groupby(["member_id", "occurred_at_x", "amount"]).ngroups == len(back) > 100


def test_assignments_come_seven_days_after_joining_while_active(world):
    trial = world.assignments.merge(world.members, on="member_id")
    assert (trial.assigned_at - trial.joined_at == np.timedelta64(7, "D")).all()
    assert (trial.churned_at.fillna(END) > trial.assigned_at).all()
    assert (trial.assigned_at + np.timedelta64(90, "D") <= END).all()
    assert set(trial.scheme) == {"none", "welcome_coupon", "bonus_points", "daily_tasks", "tier_trial"}
    assert set(trial.trial) == {"main"}


def test_costs_belong_to_members_of_the_scheme_and_its_reward(world):
    costs = world.costs.merge(world.assignments, on="member_id", how="left", suffixes=("", "_assigned"))
    assert (costs.scheme == costs.scheme_assigned).all()
    after = (costs["at"] - costs.assigned_at).dt.total_seconds()
    assert after.min() == 0
    assert after.max() < 56 * 86_400 + SESSION
    assert (costs.amount > 0).all()
    assert set(costs.what) == {"incentive"}
    assert set(costs.scheme) == {"welcome_coupon", "bonus_points", "tier_trial"}


def test_each_coupon_purchase_costs_its_price_once(world):
    costs = world.costs[world.costs.scheme == "welcome_coupon"]
    bought = world.events[(world.events.event == "purchase")].merge(world.assignments, on="member_id")
    after = (bought.occurred_at - bought.assigned_at).dt.total_seconds()
    theirs = bought[(bought.scheme == "welcome_coupon") & (after >= 0) & (after < 56 * 86_400)]
    theirs = theirs[theirs.amount > 0]
    # a purchase in a session that begins in the last minutes of a day may fall on either side of the edge
    assert abs(len(theirs) - len(costs)) <= 3
    assert set(costs.amount) == {Decimal("0.5000")}


def test_referred_members_were_brought_by_someone_still_there(world):
    members = world.members
    brought = members[members.referred_by.notna()].merge(
        members, left_on="referred_by", right_on="member_id", suffixes=("", "_by")
    )
    assert len(brought) > 300
    assert set(brought.channel) == {"referral"}
    assert (brought.joined_at_by < brought.joined_at).all()
    assert (brought.churned_at_by.fillna(END) > brought.joined_at).all()


def test_no_observed_table_holds_the_truth(world):
    hidden = set(world.truth.members.columns) - {"member_id"}
    for table in TABLES:
        assert not hidden & set(getattr(world, table).columns)


def test_order_of_ids_says_nothing_of_hidden_segments(world):
    segment = pd.Categorical(world.truth.members.segment).codes
    tenth = np.arange(len(segment)) * 10 // len(segment)
    found = np.zeros((10, 3))
    np.add.at(found, (tenth, segment), 1)
    expected = found.sum(axis=1, keepdims=True) * found.sum(axis=0) / found.sum()
    # 99.9 % point of a chi-square with 18 degrees of freedom
    assert ((found - expected) ** 2 / expected).sum() < 42.3


def test_a_world_prints_in_one_line(world):
    assert repr(world).startswith("World of seed 3 (members 6,000, events ")
    assert repr(world).endswith("as of 2025-07-01T00:00:00Z)")
    assert repr(world.truth) == "Truth of a world of 6,000 members in 3 hidden segments"


def test_the_same_seed_is_the_same_world_and_another_is_not():
    asked = {"members": 300, "as_of": AS_OF, "start": "2025-05-01T00:00:00Z"}
    first, again, other = (sj.make_world(seed=seed, **asked) for seed in (1, 1, 2))
    for table in TABLES:
        pd.testing.assert_frame_equal(getattr(first, table), getattr(again, table))
    assert not first.members.equals(other.members)
    assert len(first.assignments) == 0
    assert first.truth.summary["trials"] == {}


@given(extra=st.integers(1, 400), seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=4)
def test_whole_blocks_are_the_same_in_a_world_of_any_size(extra, seed):
    asked = {"seed": seed, "as_of": AS_OF, "start": "2025-02-01T00:00:00Z"}
    small, large = sj.make_world(members=BLOCK, **asked), sj.make_world(members=BLOCK + extra, **asked)
    for table in TABLES:
        part, whole = getattr(small, table), getattr(large, table)
        same = whole[whole.member_id <= f"M{BLOCK - 1:07d}"].reset_index(drop=True)
        pd.testing.assert_frame_equal(part, same, check_dtype=False)


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
        ({"time_zone": "Mars/Olympus"}, "'time_zone' must be a name"),
        ({"effects": 9}, "'effects' must be"),
    ],
)
def test_a_world_that_cannot_be_is_refused_by_name(change, said):
    with pytest.raises(ParameterError, match=said):
        sj.make_world(**{"members": 10, "seed": 1, "as_of": AS_OF, **change})


def test_one_member_is_a_world():
    world = sj.make_world(members=1, seed=4, as_of=AS_OF)
    assert len(world.members) == 1
    assert isinstance(pa.Table.from_pandas(world.events), pa.Table)
