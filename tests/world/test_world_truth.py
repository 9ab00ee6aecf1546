"""The truth of retention against realised lives, and the parts and tables of the truth against each other."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad

from sojourn.world import make_world
from sojourn.world.catalogue import world_parameters
from sojourn.world.clock import DAY
from sojourn.world.members.hazards import cumulative, integral_at
from sojourn.world.truth.expectations import expect
from sojourn.world.truth.retention import HORIZONS, Curve, area
from sojourn.world.truth.summary import summarise
from sojourn.world.truth.tally import levels, tally

AS_OF = "2025-07-01T00:00:00Z"
GROUPS = ("all", "channel", "plan", "region", "age_band", "segment")


def kaplan_meier(
    entry: np.ndarray, left: np.ndarray, end: np.ndarray, days: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the product-limit estimate with late entry, and Greenwood's standard error, at some days.

    From its definition: at each leaving, those at risk have entered before it and neither left nor been lost.
    """
    gone = left <= end
    time = np.sort(left[gone])
    at_risk = np.searchsorted(np.sort(entry), time, side="left")
    at_risk = at_risk - np.searchsorted(np.sort(np.minimum(left, end)), time, side="left")
    curve = np.cumprod(1 - 1 / at_risk)
    green = np.cumsum(1 / (at_risk * np.maximum(at_risk - 1.0, 1.0)))
    last = np.searchsorted(time, days, side="right") - 1
    found = np.where(last >= 0, curve[np.maximum(last, 0)], 1.0)
    return found, found * np.sqrt(np.where(last >= 0, green[np.maximum(last, 0)], 0.0))


@pytest.fixture(scope="module")
def follow_up(drawn) -> dict[str, np.ndarray]:
    """Return days from joining to entry, leaving and the end of follow-up, and the weight of each member."""
    people, frame = drawn.people, drawn.frame
    weight = drawn.each(lambda b: np.exp(integral_at(cumulative(b.hazard), b.entry)))
    return {
        "entry": np.maximum(frame.start - people.joined, 0) / DAY,
        "left": (drawn.lives.left - people.joined) / DAY,
        "end": (frame.as_of - people.joined) / DAY,
        "weight": weight,
    }


def rows_of(summary: dict, group: str) -> list[dict]:
    return [row for row in summary["retention"]["survival"] if row["group"] == group]


def members_of(drawn, group: str, level: str) -> np.ndarray:
    if group == "all":
        return np.ones(len(drawn), dtype=bool)
    return getattr(drawn.people, group) == levels(drawn.frame)[group].index(level)


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_seen_is_what_kaplan_meier_with_late_entry_recovers(drawn, summary, follow_up, ruler, group):
    days = np.array(HORIZONS)
    for level in dict.fromkeys(row["level"] for row in rows_of(summary, group)):
        truth = [row["seen"] for row in rows_of(summary, group) if row["level"] == level]
        theirs = members_of(drawn, group, level)
        estimate, error = kaplan_meier(*(follow_up[name][theirs] for name in ("entry", "left", "end")), days)
        # on the first day entry within the day counts as of its end: a thousandth of a point
        assert np.all(np.abs(estimate - truth) <= ruler.sigmas * error + 1e-4), (level, estimate, truth)


@pytest.mark.parametrize("group", GROUPS)
def test_survival_is_what_all_joiners_would_show_if_followed_to_the_end(
    drawn, summary, follow_up, ruler, group
):
    """Who is seen beyond a day, over all joiners: members from before observation stand for who had left."""
    weight, left = follow_up["weight"], follow_up["left"]
    for row in rows_of(summary, group):
        # until day 60 some of those who would have left are in no table
        if row["day"] >= 60:
            theirs = members_of(drawn, group, row["level"])
            assert ruler.mean((left[theirs] > row["day"]) - row["survival"] * weight[theirs]), row


def test_a_curve_that_takes_early_members_from_joining_on_looks_better(drawn, summary, follow_up, ruler):
    """Left truncation matters: without late entry those who joined before observation never leave early."""
    early = follow_up["entry"] > 20
    days = np.array([60, 90])
    naive, error = kaplan_meier(
        np.zeros(early.sum()), follow_up["left"][early], follow_up["end"][early], days
    )
    truth = [row["survival"] for row in rows_of(summary, "all") if row["day"] in days]
    assert np.all(naive > np.array(truth) + ruler.sigmas * error)


def test_members_from_before_observation_recover_the_curve_of_joiners(draw, ruler):
    """The same world observed later: 200 days of joiners before it, who are seen only if they stayed.

    What the calendar brings (messages, trials) acts under observation only, so it is switched off. The truth
    weights who is seen; without weights, days would seem to bring less leaving.
    """
    made = world_parameters("clusters")
    made = replace(made, joining=replace(made.joining, clubs=0), churn=replace(made.churn, club_spread=0.0))
    found = {}
    for before in (0, 200):
        parameters = replace(made, joining=replace(made.joining, before_days=before))
        drawn = draw(3, seed=6, parameters=parameters, start="2024-09-01T00:00:00Z")
        survival, weight = [], []
        for block in drawn.blocks:
            total = cumulative(block.hazard)
            weight.append(np.exp(integral_at(total, block.entry)))
            survival.append(np.exp(-total[:, list(HORIZONS)]))
        s, w = np.concatenate(survival), np.concatenate(weight)
        mean = (w[:, None] * s).sum(axis=0) / w.sum()
        error = np.sqrt(((w[:, None] * (s - mean)) ** 2).sum(axis=0)) / w.sum()
        truth = truth_of(drawn)
        assert np.allclose([truth[day] for day in HORIZONS], mean, atol=1e-8)
        surplus = s - s.mean(axis=0) - w[:, None] / w.mean() * (s - mean)
        found[before] = (mean, error, s.mean(axis=0) - mean, surplus.std(axis=0) / np.sqrt(len(w)))
    gap = found[200][0] - found[0][0]
    error = np.hypot(found[200][1], found[0][1])
    assert np.all(np.abs(gap) <= ruler.sigmas * error)
    # without weights the curve would be higher
    *_, surplus, error = found[200]
    assert np.all(surplus[2:] > ruler.sigmas * error[2:])


def truth_of(drawn) -> dict[int, float]:
    expected = [[expect(drawn.frame, b, e) for e in b.enrolments] for b in drawn.blocks]
    sums = [tally(drawn.frame, b, e, np.zeros((5, 5))) for b, e in zip(drawn.blocks, expected, strict=True)]
    total = sums[0]
    for part in sums[1:]:
        total = total + part
    return {row["day"]: row["survival"] for row in rows_of(summarise(drawn.frame, total), "all")}


def test_the_restricted_mean_is_the_mean_time_within_180_days(drawn, summary, follow_up, ruler):
    weight, left, entry = (follow_up[name] for name in ("weight", "left", "entry"))
    for group in ("all", "plan", "segment"):
        for row in [r for r in summary["retention"]["restricted_mean"] if r["group"] == group]:
            theirs = members_of(drawn, group, row["level"]) & (entry == 0)
            # who joined under observation is a random part of joiners but for the season; all are compared
            expected = drawnarea(drawn, theirs)
            assert ruler.mean(np.minimum(left[theirs], 180) - expected), row
            assert expected.mean() == pytest.approx(row["days"], rel=0.01)
    assert weight[entry == 0].max() == 1.0


def drawnarea(drawn, theirs: np.ndarray) -> np.ndarray:
    """Return each member's expected days within 180, as the integral of a step hazard."""

    def area(block) -> np.ndarray:
        total = cumulative(block.hazard[:, :180])
        step = np.diff(total, axis=1)
        return (np.exp(-total[:, :-1]) * (1 - np.exp(-step)) / step).sum(axis=1)

    return drawn.each(area)[theirs]


def test_who_left_for_what_sums_to_all_who_left(summary):
    survival = {row["day"]: row["survival"] for row in rows_of(summary, "all")}
    for day in HORIZONS:
        rows = [row for row in summary["retention"]["left_for"] if row["day"] == day]
        assert len(rows) == 5
        # numbers are rounded to nine decimals
        assert sum(row["share"] for row in rows) == pytest.approx(1 - survival[day], abs=1e-8)


def test_members_leave_for_the_stated_reasons_by_each_day(drawn, summary, follow_up, ruler):
    left, entry = follow_up["left"], follow_up["entry"]
    names = ["price", "content", "service", "moved away", "unknown"]
    for row in summary["retention"]["left_for"]:
        if row["day"] < 60:
            continue
        by_then = (left <= row["day"]) & (drawn.lives.reason == names.index(row["reason"]))
        found = by_then[entry == 0]
        error = np.sqrt(row["share"] / found.size)
        # joiners under observation only, while the truth is that of all: 0.2 points beside four errors
        assert abs(found.mean() - row["share"]) <= ruler.sigmas * error + 0.002, row


def test_with_us_counts_who_is_there_and_who_is_back(drawn, summary, follow_up, ruler):
    lives, joined = drawn.lives, drawn.people.joined
    entry = follow_up["entry"]
    for row in summary["retention"]["with_us"]:
        if row["day"] < 60:
            continue
        at = joined + row["day"] * DAY
        back = (lives.returned <= at) & (at < lives.left_again)
        # who had left before observation and would be back is seen through no one: joiners under it only
        there = ((lives.left > at) | back)[entry == 0]
        error = np.sqrt(row["share"] * (1 - row["share"]) / there.size)
        survival = next(r["survival"] for r in rows_of(summary, "all") if r["day"] == row["day"])
        assert abs(there.mean() - row["share"]) <= ruler.sigmas * error + 0.002, row
        assert row["share"] > survival


# --- curves on paper ---


def sums_of(hazards: dict[float, float], followed: dict[float, int], days: int = 366) -> np.ndarray:
    """Return sums as `tally` makes them for members of constant hazards, by number and follow-up."""
    day = np.arange(days)
    sums = np.zeros((3, days))
    for hazard, number in hazards.items():
        survival = number * np.exp(-hazard * day)
        known = (day[:-1] < followed[hazard]) + 0.5 * (day[:-1] == followed[hazard])
        sums[0] += survival
        sums[1, :-1] += known * survival[:-1]
        sums[2, :-1] += known * -np.diff(survival)
    return sums


def test_a_curve_is_the_average_over_members():
    curve = Curve("all", "all", sums_of({0.01: 3, 0.03: 1}, {0.01: 400, 0.03: 400}))
    expected = 0.75 * np.exp(-0.01 * 90) + 0.25 * np.exp(-0.03 * 90)
    assert curve.survival[90] == pytest.approx(expected, rel=1e-12)
    # all are followed throughout, so a curve of what was seen is the same
    assert curve.seen[90] == pytest.approx(expected, rel=1e-9)


def test_what_is_seen_differs_when_follow_up_goes_with_leaving():
    curve = Curve("all", "all", sums_of({0.01: 500, 0.03: 500}, {0.01: 300, 0.03: 30}))
    # until day 30 both kinds are seen; then only the first, whose daily factor is exp(-.01)
    both = 0.5 * np.exp(-0.01 * 30) + 0.5 * np.exp(-0.03 * 30)
    assert curve.seen[30] == pytest.approx(both, rel=1e-12)
    assert curve.seen[60] / curve.seen[31] == pytest.approx(np.exp(-0.01 * 29), rel=1e-12)
    assert curve.seen[60] > curve.survival[60] + 0.03
    assert np.isnan(curve.seen[302])


def test_the_restricted_mean_is_the_area_under_the_curve():
    curve = Curve("all", "all", sums_of({0.02: 1}, {0.02: 400}))
    expected = quad(lambda t: np.exp(-0.02 * t), 0, 180)[0]
    assert area(curve.survival, 180) == pytest.approx(expected, rel=1e-12)


# --- parts and tables ---


def test_the_truth_is_plain_json_with_its_parts(world):
    summary = world.truth.summary
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert {"world", "planted", "retention", "trials", "segments", "dictionary", "parameters"} <= set(summary)
    assert summary["world"]["members"] == 6_000
    assert "Closed form" in summary["world"]["method"]
    assert summary["trials"]["main"]["margin"] == 0.3


def test_the_dictionary_explains_every_column_of_the_tables(world):
    for name, table in (
        ("members", world.truth.members),
        ("counterfactuals", world.truth.counterfactuals),
        ("items", world.truth.items),
    ):
        assert set(table.columns) == set(world.truth.summary["dictionary"][name]), name
        assert all(world.truth.summary["dictionary"][name].values())


def test_every_planted_effect_names_its_identification(world):
    planted = world.truth.summary["planted"]
    assert len({effect["name"] for effect in planted}) == len(planted) >= 15
    for effect in planted:
        assert np.isfinite(effect["value"]), effect
        assert effect["unit"], effect
        assert len(effect["identified_by"]) > 20, effect


def test_curves_fall_and_levels_average_to_the_whole(drawn, summary, follow_up):
    whole = {row["day"]: row["survival"] for row in rows_of(summary, "all")}
    assert list(whole) == list(HORIZONS)
    assert list(whole.values()) == sorted(whole.values(), reverse=True)
    for group in GROUPS[1:]:
        for day, expected in whole.items():
            part = [row for row in rows_of(summary, group) if row["day"] == day]
            share = [follow_up["weight"][members_of(drawn, group, row["level"])].sum() for row in part]
            mean = np.average([row["survival"] for row in part], weights=share)
            assert mean == pytest.approx(expected, abs=1e-8), (group, day)


def test_segments_are_counted_as_joiners(drawn, summary, follow_up):
    segments = summary["segments"]
    assert segments["count"] == len(segments["features"]) == 5
    for code, row in enumerate(segments["features"]):
        weight = follow_up["weight"]
        assert row["share"] == pytest.approx(
            weight[drawn.people.segment == code].sum() / weight.sum(), abs=1e-8
        )


def test_the_truth_of_members_averages_to_the_truth_of_schemes(world):
    kept = world.truth.counterfactuals
    for trial, summary in world.truth.summary["trials"].items():
        theirs = kept[kept.trial == trial]
        listed = world.assignments[world.assignments.trial == trial]
        assert set(theirs.member_id) == set(listed.member_id)
        assert len(theirs) == summary["members"] * len(summary["schemes"])
        for row in summary["schemes"]:
            mean = theirs.kept[theirs.scheme == row["scheme"]].mean()
            assert mean == pytest.approx(row["kept"], abs=1e-8)
        assert listed.scheme.value_counts().to_dict() == summary["assigned"]


def test_segments_of_a_trial_average_to_the_whole(summary):
    for trial in summary["trials"].values():
        for row in trial["schemes"]:
            parts = [part for part in trial["by_segment"] if part["scheme"] == row["scheme"]]
            assert len(parts) == 5
            assert sum(part["members"] for part in parts) == trial["members"]
            for what in ("kept", "lift", "revenue", "cost", "net_value", "net_gain"):
                mean = np.average([part[what] for part in parts], weights=[part["members"] for part in parts])
                assert mean == pytest.approx(row[what], abs=1e-6)
            assert row["net_value"] == pytest.approx(trial["margin"] * row["revenue"] - row["cost"], abs=1e-6)
            assert 0 <= row["deadweight"] <= 1


def test_one_scheme_pays_one_harms_one_does_nothing(summary):
    rows = {row["scheme"]: row for row in summary["trials"]["main"]["schemes"]}
    assert rows["welcome_coupon"]["net_gain"] > 1
    assert rows["welcome_coupon"]["lift"] > 0.03
    assert rows["bonus_points"]["net_gain"] < -1
    assert rows["bonus_points"]["lift"] > 0.03
    assert rows["daily_tasks"]["net_gain"] == rows["daily_tasks"]["lift"] == 0
    by_segment = {
        row["segment"]: row["net_gain"]
        for row in summary["trials"]["main"]["by_segment"]
        if row["scheme"] == "tier_trial"
    }
    assert by_segment["frequent buyers"] > 1
    assert by_segment["bargain hunters"] < 0


def test_what_a_member_is_stands_in_the_truth_as_it_was_drawn(world):
    truth, members = world.truth.members, world.members
    assert np.array_equal(truth.member_id, members.member_id)
    gone = members.churned_at.notna()
    days = (members.churned_at - members.joined_at).dt.total_seconds() / 86_400
    # instants are whole seconds, days have six decimals
    assert np.allclose(days[gone], truth.left_after_days[gone], atol=1e-6)
    followed = (pd.Timestamp(AS_OF) - members.joined_at).dt.total_seconds() / 86_400
    assert (truth.left_after_days[~gone].fillna(np.inf) >= followed[~gone] - 1e-5).all()
    assert truth.kept_at_90.between(0, 1).all()


def test_without_effects_every_trial_is_null_in_everything():
    world = make_world(members=3_000, seed=5, as_of=AS_OF, effects=0)
    for trial in world.truth.summary["trials"].values():
        for row in [*trial["schemes"], *trial["by_segment"]]:
            assert row["lift"] == row["net_gain"] == row["cost"] == row["rewarded_purchases"] == 0
    assert set(world.costs.what) == {"acquisition", "incentive"}
    assert set(world.costs.scheme.dropna()) == {"daily_challenge"}
    assert world.assignments[world.assignments.trial == "main"].scheme.nunique() == 5


def test_without_separation_there_are_no_groups():
    world = make_world(members=3_000, seed=5, as_of=AS_OF, separation=0)
    segments = world.truth.summary["segments"]
    assert segments["count"] == 1
    for name in set(segments["features"][0]) - {"segment", "share"}:
        values = [row[name] for row in segments["features"]]
        assert np.ptp(values) < 1e-8, name
    events = world.events.merge(world.truth.members[["member_id", "segment"]], on="member_id")
    views = events[events.event == "view"]
    taste = pd.crosstab(views.segment, views.feature, normalize="index")
    # about 10,000 views a segment, in sessions of one or two: a standard error of a point at most
    assert np.ptp(taste.to_numpy(), axis=0).max() < 0.05


def test_beyond_the_longest_follow_up_nothing_can_be_seen():
    made = world_parameters("spill_over")
    world = make_world(members=200, seed=5, as_of=AS_OF, start="2025-05-01T00:00:00Z", world=made)
    rows = [row for row in world.truth.summary["retention"]["survival"] if row["group"] == "all"]
    assert all(row["survival"] is not None for row in rows)
    assert [row["day"] for row in rows if row["seen"] is None] == [90, 180, 365]
    assert world.truth.summary["retention"]["restricted_mean"][0]["seen"] is None
