from __future__ import annotations

import json

import numpy as np
import pytest

from sojourn.world import make_world
from sojourn.world.hazards import Hazards
from sojourn.world.make import world_hazards
from sojourn.world.truth import _area, _curve, tally, truth_rows

AS_OF = "2025-07-01T00:00:00Z"


def constant(first: float, second: float, days: int = 400) -> Hazards:
    """Two kinds of members under one scheme, with constant hazards."""
    daily = np.broadcast_to(np.array([first, second])[None, :, None], (1, 2, days)).copy()
    return Hazards(daily, np.concatenate([np.zeros((1, 2, 1)), np.cumsum(daily, axis=-1)], axis=-1))


def followed(first: int, second: int, days: int) -> np.ndarray:
    """Members by kind, all outside the trial's window and followed for exactly `days`."""
    counts = np.zeros((2, 2, days + 1), dtype=int)
    counts[0, 0, days], counts[1, 0, days] = first, second
    return counts


def test_a_curve_is_the_average_over_kinds():
    curve = _curve(constant(0.01, 0.03), "all", "all", followed(3, 1, 399))
    expected = 0.75 * np.exp(-0.01 * 90) + 0.25 * np.exp(-0.03 * 90)
    assert curve.survival[90] == pytest.approx(expected, rel=1e-12)
    # all are followed throughout, so a curve of what was seen is the same
    assert curve.seen[90] == pytest.approx(expected, rel=1e-9)
    assert curve.members == 4


def test_what_is_seen_differs_when_follow_up_goes_with_kind():
    counts = followed(500, 0, 300)
    counts[1, 0, 30] = 500
    curve = _curve(constant(0.01, 0.03), "all", "all", counts)
    # until day 30 both kinds are seen; then only the first, whose daily factor is exp(-.01)
    both = 0.5 * np.exp(-0.01 * 30) + 0.5 * np.exp(-0.03 * 30)
    assert curve.seen[30] == pytest.approx(both, rel=1e-12)
    # follow-up of the second kind ends in the course of day 30, so half of them count there
    first, second = 500 * np.exp(-0.01 * 30), 250 * np.exp(-0.03 * 30)
    staying = (first * np.exp(-0.01) + second * np.exp(-0.03)) / (first + second)
    assert curve.seen[31] / curve.seen[30] == pytest.approx(staying, rel=1e-12)
    assert curve.seen[60] / curve.seen[31] == pytest.approx(np.exp(-0.01 * 29), rel=1e-12)
    assert curve.seen[60] > curve.survival[60] + 0.03


def test_the_restricted_mean_is_the_area_under_the_curve():
    curve = _curve(constant(0.02, 0.02), "all", "all", followed(1, 1, 399))
    expected = (1 - np.exp(-0.02 * 180)) / 0.02
    assert _area(curve.survival, 180) == pytest.approx(expected, rel=1e-12)


def test_in_the_window_a_curve_averages_over_the_schemes():
    hazards = constant(0.01, 0.03)
    daily = np.concatenate([hazards.daily, hazards.daily / 2])
    two = Hazards(daily, np.concatenate([hazards.cumulative, hazards.cumulative / 2]))
    counts = np.zeros((2, 2, 400), dtype=int)
    counts[0, 1, 399] = 10
    curve = _curve(two, "all", "all", counts)
    assert curve.survival[100] == pytest.approx((np.exp(-1.0) + np.exp(-0.5)) / 2, rel=1e-12)


def test_counts_cover_every_member_once_and_add_over_blocks(drawn):
    whole = tally(drawn.frame, drawn.people, drawn.lives)
    for counts in whole.followed.values():
        assert counts.sum() == drawn.frame.members
    assert whole.assigned.sum() == drawn.lives.assigned.sum()
    twice = whole + whole
    assert np.array_equal(twice.assigned, 2 * whole.assigned)
    assert np.array_equal(twice.followed["plan"], 2 * whole.followed["plan"])


def test_the_truth_is_plain_json_with_its_parts(world):
    summary = world.truth.summary
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert list(summary) == ["world", "retention", "trials", "segments", "parameters"]
    assert summary["world"]["members"] == 6_000
    assert "Closed form" in summary["world"]["method"]
    assert summary["parameters"]["trial"]["margin"] == summary["trials"]["main"]["margin"] == 0.3


def test_curves_fall_and_levels_average_to_the_whole(world):
    rows = world.truth.summary["retention"]["survival"]
    whole = {row["day"]: row["survival"] for row in rows if row["group"] == "all"}
    assert list(whole) == [1, 7, 30, 60, 90, 180, 365]
    assert list(whole.values()) == sorted(whole.values(), reverse=True)
    for group in ("plan", "channel", "region", "age_band"):
        for day, expected in whole.items():
            part = [row for row in rows if row["group"] == group and row["day"] == day]
            mean = np.average([row["survival"] for row in part], weights=[row["members"] for row in part])
            # numbers are rounded to nine decimals
            assert mean == pytest.approx(expected, abs=1e-8)


def test_segments_are_counted_as_drawn(world):
    segments = world.truth.summary["segments"]
    assert segments["count"] == len(segments["features"]) == 3
    shares = world.truth.members.segment.value_counts(normalize=True)
    for row in segments["features"]:
        assert row["share"] == pytest.approx(shares[row["segment"]], abs=1e-8)


def test_the_truth_of_members_averages_to_the_truth_of_schemes(world):
    trial = world.truth.summary["trials"]["main"]
    theirs = world.truth.members[world.truth.members.in_trial]
    assert len(theirs) == trial["members"] == len(world.assignments)
    assert set(theirs.member_id) == set(world.assignments.member_id)
    for row in trial["schemes"]:
        assert theirs[f"kept_{row['scheme']}"].mean() == pytest.approx(row["kept"], abs=1e-8)


def test_the_truth_of_members_has_nine_decimals_and_their_own_factors(drawn):
    rows = truth_rows(drawn.frame, drawn.people, drawn.lives, world_hazards(drawn.frame))
    for name in ("activity", "hazard", "kept_none", "kept_tier_trial"):
        assert np.array_equal(rows[name], np.round(rows[name], 9))
    made, people = drawn.frame.parameters, drawn.people
    first = made.segments[people.segment[0]].hazard * made.plans[people.plan[0]].hazard
    assert rows["hazard"][0] == pytest.approx(first * made.channels[people.channel[0]].hazard, abs=1e-9)


def test_segments_of_the_trial_average_to_the_whole(world):
    trial = world.truth.summary["trials"]["main"]
    for row in trial["schemes"]:
        parts = [part for part in trial["by_segment"] if part["scheme"] == row["scheme"]]
        assert len(parts) == 3
        assert sum(part["members"] for part in parts) == trial["members"]
        for what in ("kept", "lift", "revenue", "cost", "net_value", "net_gain"):
            mean = np.average([part[what] for part in parts], weights=[part["members"] for part in parts])
            assert mean == pytest.approx(row[what], abs=1e-6)
        assert row["net_value"] == pytest.approx(0.3 * row["revenue"] - row["cost"], abs=1e-6)


def test_without_effects_the_trial_is_null_in_everything():
    world = make_world(members=3_000, seed=5, as_of=AS_OF, effects=0)
    for row in [*world.truth.summary["trials"]["main"]["schemes"]]:
        assert row["lift"] == row["net_gain"] == row["cost"] == 0
    assert len(world.costs) == 0
    assert world.assignments.scheme.nunique() == 5


def test_without_separation_there_are_no_groups():
    world = make_world(members=3_000, seed=5, as_of=AS_OF, separation=0)
    segments = world.truth.summary["segments"]
    assert segments["count"] == 1
    for name in ("hazard", "sessions_per_day", "purchases_per_session", "mean_amount"):
        values = [row[name] for row in segments["features"]]
        assert np.ptp(values) < 1e-8
    events = world.events.merge(world.truth.members[["member_id", "segment"]], on="member_id")
    views = events[events.event == "view"]
    taste = views.groupby("segment").feature.value_counts(normalize=True).unstack()
    # about 40,000 views a segment, in sessions of two: a standard error of half a point at most
    assert np.ptp(taste.to_numpy(), axis=0).max() < 0.02


def test_beyond_the_longest_follow_up_nothing_can_be_seen():
    world = make_world(members=200, seed=5, as_of=AS_OF, start="2025-05-01T00:00:00Z")
    rows = [row for row in world.truth.summary["retention"]["survival"] if row["group"] == "all"]
    assert all(row["survival"] is not None for row in rows)
    assert [row["day"] for row in rows if row["seen"] is None] == [90, 180, 365]
    assert world.truth.summary["retention"]["restricted_mean"][0]["seen"] is None
