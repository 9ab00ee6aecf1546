"""What segments did next: curves and messages against oracles, and how often their intervals are right."""

import math
from dataclasses import replace

import numpy as np
import pytest

import sojourn as sj
from segments_described_worlds import RULE, private, result, rng, world
from sojourn.core.normal import standard_errors
from sojourn.core.results.segments import Features, NearestCentre
from sojourn.core.results.segments_described import EVERYONE
from sojourn.studies.segments.describe import shown_segments
from sojourn.studies.segments.messages import ratio_error
from sojourn.studies.segments.shown import Shown

# --- who is still there ---


def leaving(seen: Features, seed: int = 11, rate: float = 0.004) -> Features:
    """Return members who leave at a rate that falls with the segment."""
    days = np.ceil(rng(seed).exponential(1 / (rate * (3 - RULE.assign(seen.x))))).astype(int)
    return replace(seen, next=seen.next.assign(left_after=np.where(days <= 90, days, 0)))


def test_curves_are_those_of_lifelines_on_the_members():
    from lifelines import KaplanMeierFitter

    seen = leaving(world(1_500))
    found = result(seen)
    curves = sj.next_curves(seen, found)
    left = seen.next.loc[~seen.fit, "left_after"].to_numpy()
    for name, inside in [*shown_segments(seen, found), (EVERYONE, np.ones(len(left), dtype=bool))]:
        mine = curves.table[curves.table["group"] == name].set_index("duration")
        oracle = KaplanMeierFitter(alpha=0.05).fit(
            np.where(left[inside] > 0, left[inside], 90), left[inside] > 0, timeline=np.arange(91)
        )
        assert mine["retained"].to_numpy() == pytest.approx(oracle.survival_function_.iloc[:, 0].to_numpy())
        bounds = oracle.confidence_interval_.to_numpy()
        sure = mine["claimed"].to_numpy()
        assert sure.any()
        assert mine.loc[sure, ["retained_low", "retained_high"]].to_numpy() == pytest.approx(bounds[sure])
        assert mine.loc[~sure, "retained_low"].isna().all()
        assert mine["churned"].cumsum()[sure].min() >= 10
        assert mine.loc[0, "at_risk"] == inside.sum()


def test_a_curve_ends_where_too_few_are_left():
    seen = leaving(world(300), rate=0.05)
    curves = sj.next_curves(seen, result(seen))
    ends = curves.table.groupby("group")["duration"].max()
    assert ends["least active third"] < 90
    assert (curves.table["at_risk"] >= 20).all()
    assert curves.at("most active third", 5).kind == "log-log"


def test_where_nobody_is_recorded_to_leave_there_is_no_curve():
    seen = world(300)
    curves = sj.next_curves(seen, result(seen))
    assert curves.table.empty
    assert "Nobody is recorded as having left in the 90 days" in curves.why_empty


def test_private_curves_take_steps_of_the_base_on_few_days():
    seen = private(leaving(world(2_000)))
    table = sj.next_curves(seen, result(seen)).table
    assert (table[["at_risk", "churned"]].to_numpy() % 20 == 0).all()
    seen_on = table.groupby("group")["retained"].nunique()
    exact = sj.next_curves(replace(seen, meta=world(300).meta), result(seen)).table
    assert (seen_on < exact.groupby("group")["retained"].nunique()).all()
    both = table.merge(exact, on=["group", "duration"])
    # read off every 30 days, rounded to 20 of some 300
    assert (both["retained_x"] - both["retained_y"]).abs().max() < 0.12
    left = seen.next["left_after"]
    early = replace(seen, next=seen.next.assign(left_after=np.where(left > 0, (left - 1) // 30 * 30 + 1, 0)))
    again = sj.next_curves(early, result(seen)).table  # on which day of a month members left tells nothing
    assert again["retained"].tolist() == table["retained"].tolist()


# --- messages ---


def messaged(seen: Features, seed: int, chance=None) -> Features:
    """Return members who were sent few or many messages, and who open by habits of their own."""
    draw, n = rng(seed), len(seen)
    sent = draw.poisson(draw.gamma(1.0, 6.0, n))
    centre = np.full(n, 0.3) if chance is None else chance[RULE.assign(seen.x)]
    habit = draw.beta(3 * centre, 3 * (1 - centre))
    return replace(seen, next=seen.next.assign(sent=sent, opened=draw.binomial(sent, habit)))


def test_message_response_is_a_ratio_of_sums_with_everyone_last():
    seen = messaged(world(900), 12)
    found = result(seen)
    told = sj.message_response(seen, found)
    sent, opened = (seen.next.loc[~seen.fit, name].to_numpy() for name in ("sent", "opened"))
    for name, inside in shown_segments(seen, found):
        row = told.table[told.table["segment"] == name].iloc[0]
        assert row["opened_share"] == pytest.approx(opened[inside].sum() / sent[inside].sum())
        assert row["n"] == (sent[inside] > 0).sum()
        assert row["sent_each"] == pytest.approx(sent[inside & (sent > 0)].mean())
        assert row["opened_share_low"] < row["opened_share"] < row["opened_share_high"]
    assert told.table["segment"].tolist()[-1] == EVERYONE
    assert told.kind == "logit"


def test_the_error_of_a_ratio_is_that_of_the_jackknife():
    draw = rng(13)
    sent = draw.poisson(5, 300) + 1.0
    opened = draw.binomial(sent.astype(int), draw.beta(1, 2, 300)) * 1.0
    left_out = (opened.sum() - opened) / (sent.sum() - sent)
    jackknife = np.sqrt((299 / 300) * ((left_out - left_out.mean()) ** 2).sum())
    # both are first-order: equal to a few in a hundred among 300 members
    assert ratio_error(sent, opened) == pytest.approx(jackknife, rel=0.03)


def test_intervals_of_message_response_cover_and_the_naive_ones_do_not():
    """300 worlds of three segments: 95 in 100 expected, 4 standard errors of 900 dependent shares are 4."""
    seen = world(700)
    found = result(seen)
    covered = naive = shares = alarms = 0
    for seed in range(300):
        told = sj.message_response(messaged(seen, seed), found)
        rows = told.table[told.table["segment"] != EVERYONE]
        covered += int(((rows["opened_share_low"] <= 0.3) & (rows["opened_share_high"] >= 0.3)).sum())
        sent = rows["sent_each"] * rows["n"]
        reach = 1.96 * np.sqrt(0.3 * 0.7 / sent)
        naive += int(((rows["opened_share"] - 0.3).abs() <= reach).sum())
        shares += len(rows)
        alarms += told.differs
    assert 0.91 <= covered / shares <= 0.98
    assert naive / shares < 0.75  # as if every message were a member of its own
    assert alarms / 300 <= 0.1


def test_segments_that_open_differently_are_found():
    told = sj.message_response(messaged(world(1_500), 14, np.array([0.2, 0.3, 0.45])), result(world(1_500)))
    assert told.differs
    assert told.p_alike < 0.001


def test_few_or_no_messages_are_no_share():
    seen = world(600)
    assert "hold no messages" in sj.message_response(seen, result(seen)).why_empty
    none = replace(seen, next=seen.next.assign(sent=0, opened=0))
    assert "Hardly any messages" in sj.message_response(none, result(seen)).why_empty
    opened = np.where(np.arange(600) % 60 == 0, 3, 0)  # by some five of those who judge
    few = replace(seen, next=seen.next.assign(sent=3, opened=opened))
    told = sj.message_response(few, result(seen))
    assert (told.table["opened_share"] > 0).any()
    assert told.table["opened_share_low"].isna().all()
    unopened = replace(seen, next=seen.next.assign(sent=3, opened=0))
    told = sj.message_response(unopened, result(seen))
    assert (told.table["opened_share"] == 0).all()
    assert told.table["opened_share_low"].isna().all()
    assert np.isnan(told.p_alike)


def test_private_message_response_comes_in_steps():
    seen = private(messaged(world(2_000), 15))
    told = sj.message_response(seen, result(seen)).table
    sent = seen.next.loc[~seen.fit, "sent"].to_numpy(dtype=float)
    step = 20 * Shown(20, 0.95).cap(sent)
    sums = told["sent_each"] * told["n"] / step
    assert sums.to_numpy() == pytest.approx(sums.round().to_numpy(), abs=1e-9)
    opened = sums * told["opened_share"]
    assert opened.to_numpy() == pytest.approx(opened.round().to_numpy(), abs=1e-9)
    exact = sj.message_response(replace(seen, meta=world(300).meta), result(seen)).table
    inside = (told["opened_share_low"] <= exact["opened_share"]) & (
        exact["opened_share"] <= told["opened_share_high"]
    )
    assert inside.all()
    wide, narrow = (one["opened_share_high"] - one["opened_share_low"] for one in (told, exact))
    assert (wide > narrow).all()


def test_private_intervals_and_tests_of_messages_tell_no_single_member():
    """Errors have two digits and tests two decimals; one member's answers change neither by a little."""
    seen = private(messaged(world(2_000), 15))
    told = sj.message_response(seen, result(seen))
    assert told.p_alike == round(told.p_alike, 2)
    for row in told.table.itertuples():
        share = row.opened_share
        reach = math.log(row.opened_share_high / (1 - row.opened_share_high)) - math.log(share / (1 - share))
        error = reach * share * (1 - share) / standard_errors(told.mass)
        assert float(f"{error:.1e}") == pytest.approx(error, rel=1e-9)


def test_one_member_with_very_many_messages_weighs_as_one_in_private():
    seen = private(messaged(world(2_000), 16))
    before = sj.message_response(seen, result(seen)).table
    judge = int(np.flatnonzero(~seen.fit)[0])
    much = seen.next.copy()
    much.loc[judge, ["sent", "opened"]] = 100_000
    after = sj.message_response(replace(seen, next=much), result(seen)).table
    step = 20 * Shown(20, 0.95).cap(seen.next.loc[~seen.fit, "sent"].to_numpy(dtype=float))
    sums = [one["sent_each"] * one["n"] for one in (before, after)]
    assert ((sums[1] - sums[0]).abs() <= step * (1 + 1e-9)).all()


def test_groups_of_a_nearest_centre_are_described_alike():
    seen = leaving(world(900))
    rule = NearestCentre(np.eye(6), np.array([[-1.0] * 6, [1.0] * 6]))
    found = result(seen, rule=rule, k=2)
    names = {name for name, _ in shown_segments(seen, found)}
    assert set(sj.profile(seen, found).segments) == names
    assert set(sj.next_curves(seen, found).segments) == names | {EVERYONE}
