"""The portrait: every part is the cells in other words, shares add up, and small groups are never stated."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import binomtest

import sojourn as sj
from sojourn.core.errors import ParameterError
from sojourn.core.results.portrait import PURCHASE, VALUE
from sojourn.studies.portrait.checks import still_to_come
from sojourn.studies.portrait.doings import activity, purchases
from sojourn.studies.portrait.steps import expected_value


@pytest.fixture
def cells(make_portrait_cells):
    return make_portrait_cells()


@pytest.fixture
def found(cells):
    return sj.portrait(cells)


def verdicts(cells, found=None):
    return {check.name: check for check in sj.check_portrait(cells, found or sj.portrait(cells))}


def test_sizes_and_growth(found):
    assert (found.members, found.joined, found.with_us) == (320, 280, 200)
    assert found.recent == {"days": 28, "joined": 280, "left": 56, "returned": 28}  # no more days than seen
    assert found.growth == 252
    assert found.weekly == (70.0,) * 4
    assert repr(found) == "Portrait of test: 320 members, 200 of them with us"


def test_growth_is_counted_over_the_recent_days_only(cells):
    assert sj.portrait(cells, recent_days=7).recent == {"days": 7, "joined": 70, "left": 14, "returned": 7}
    days = cells["days"]
    days.loc[(days["what"] == "left") & (days["day"].astype(str) == "2025-02-02"), "n"] = 50
    later = replace(cells, tables={**cells.tables, "days": days})
    assert sj.portrait(later, recent_days=7).recent["left"] == 62


def test_joiners_by_whole_weeks(found):
    table = found.joiners.drawn()
    assert table["week"].tolist() == ["2025-01-06", "2025-01-13", "2025-01-20", "2025-01-27"]
    assert table["members"].tolist() == [70] * 4
    assert found.joiners.channels == ("search", "social")
    assert (found.joiners.usual, found.joiners.most) == (70, ("2025-01-06", 70))
    assert found.joiners.bursts[0].factor == 2.0


def test_weeks_that_are_not_whole_are_left_out(make_portrait_cells):
    cells = make_portrait_cells(observed_from="2025-01-07T00:00:00Z", as_of="2025-02-02T22:00:00Z")
    assert sj.portrait(cells).joiners.table["week"].tolist() == ["2025-01-13", "2025-01-20"]


def test_a_hidden_channel_cannot_be_had_from_the_sum(make_portrait_cells):
    rows = [("search", 50), ("social", 5), ("tv", 30)]
    joined = pd.DataFrame(
        [(pd.Timestamp("2025-01-06").date(), c, n) for c, n in rows], columns=["week", "channel", "members"]
    )
    table = sj.portrait(make_portrait_cells({"joined": joined})).joiners.table
    first = table.iloc[0]
    assert first["members"] == 85
    assert first["search_members"] == 50
    assert np.isnan(first["social_members"])
    assert np.isnan(first["tv_members"])  # the smallest of the others goes too
    assert table.iloc[1]["members"] == 0  # nobody is not a small group
    assert sj.portrait(make_portrait_cells({"joined": joined})).joiners.usual == 85  # of weeks with joiners


def test_shares_of_groups_with_their_exact_intervals(found):
    table = found.groups.of("plan")
    assert table["group"].tolist() == ["monthly", "annual"]
    assert table["joined_share"].tolist() == [200 / 280, 80 / 280]
    assert table["with_us_share"].tolist() == [120 / 200, 80 / 200]
    assert table["true_share"].tolist() == [0.7, 0.3]
    exact = binomtest(200, 280).proportion_ci(0.95, method="exact")
    assert table.loc[0, ["joined_share_low", "joined_share_high"]].tolist() == pytest.approx(list(exact))


def test_small_groups_are_counted_and_not_shown(cells):
    groups = sj.portrait(cells, min_group=100).groups
    assert groups.table["group"].tolist() == ["monthly"]
    assert groups.too_small == 1


def test_rhythm(found):
    rhythm = found.rhythm
    assert rhythm.peaks == (18, 9)
    assert rhythm.by_hour.sum() == pytest.approx(1)
    assert rhythm.by_weekday["Saturday"] == pytest.approx(2 / 8)
    assert rhythm.table["true_share"].sum() == pytest.approx(1)


def test_dates_without_times_have_no_rhythm(cells):
    visits = cells["visits"].assign(visits=lambda v: np.where(v["hour"] == 0, 1_000, 4))
    days_only = replace(cells, tables={**cells.tables, "visits": visits})
    why = sj.portrait(days_only).rhythm.why_empty
    assert why == "Events carry days, but no times of day: 92 % are between 0 and 1 h."


def test_hours_of_few_members_are_not_stated(cells):
    visits = cells["visits"]
    visits.loc[0, "members"] = 19
    few = replace(cells, tables={**cells.tables, "visits": visits})
    table = sj.portrait(few).rhythm.table
    assert table["visits"].isna().tolist() == [True] + [False] * 167


def test_first_steps_add_up_over_days(found):
    steps = found.steps
    rows = steps.table[steps.table["step"] == VALUE]
    assert rows["members"].tolist() == [40, 40, 100, 100, 100, 100, 100]
    assert rows["day"].tolist() == list(range(1, 8))
    assert steps.reached(VALUE).value == 0.5
    assert steps.reached(VALUE, 1).value == 0.2
    assert steps.reached(PURCHASE).value == 0.25
    assert steps.takes_off == pytest.approx(0.75 * 0.8 + 0.25 * 0.2)
    assert steps.table.loc[steps.table["step"] == PURCHASE, "true_share"].isna().all()


def test_the_expected_share_is_the_integral_of_the_density_of_the_delay():
    # oracle: Erlang density of two stages, x exp(-x / s) / s^2 with s half the mean, integrated numerically
    segments = [
        {"share": 0.75, "takes_off": 0.8, "value_days": 2.0},
        {"share": 0.25, "takes_off": 0.2, "value_days": 9.0},
    ]

    def share(day):
        return sum(
            s["share"]
            * s["takes_off"]
            * quad(lambda x, m=s["value_days"] / 2: x * np.exp(-x / m) / m**2, 0, day)[0]
            for s in segments
        )

    # quad's own error is below 1e-8
    assert expected_value(segments, 5) == pytest.approx([share(d) for d in range(1, 6)], abs=1e-7)


def test_nobody_followed_gives_no_steps(make_portrait_cells):
    steps = sj.portrait(make_portrait_cells(followed=19)).steps
    assert steps.why_empty == "Fewer than 20 members have been followed for 7 days from joining on."


def test_a_step_that_is_joining_itself_is_none(make_portrait_cells):
    rows = pd.DataFrame([("first purchase", 0, 200)], columns=["step", "day", "members"])
    steps = sj.portrait(make_portrait_cells({"steps": rows})).steps
    assert steps.why_empty == "No step beyond joining itself was taken by 20 members within 7 days."
    rows.loc[0, "members"] = 189  # 94.5 %
    assert sj.portrait(make_portrait_cells({"steps": rows})).steps.steps == ("first purchase",)


def test_kinds_messages_and_costs(found):
    assert found.kinds.table["event"].tolist() == ["view", "login"]
    assert found.kinds.table["times_each"].tolist() == [5.0, 3.0]
    assert found.kinds.too_small == 1
    assert found.messages.table["channel"].tolist() == ["push", "SMS"]
    assert found.messages.table["share_opened"].tolist() == [0.3, 0.6]
    assert found.messages.too_small == 1
    assert found.acquisition.table["channel"].tolist() == ["search", "social"]
    assert found.acquisition.table["cost_each"].tolist() == [4.0, 2.0]


def test_days_of_coming(found):
    part = found.activity
    assert part.members == 180
    assert part.mean == pytest.approx((60 + 240 + 135 + 60) / 180)
    assert part.median == 1
    assert part.none == pytest.approx(40 / 180)
    assert part.table["label"].tolist() == ["0", "1", "2", "3", "4", "5 and more"]
    assert part.table["members"].tolist() == [40, 60, 0, 0, 60, 20]


def test_purchases_by_bands(found):
    part = found.purchases
    assert part.table.to_numpy().tolist() == [
        ["none", 200, 200 / 320], ["1", 60, 60 / 320], ["2 to 5", 30, 30 / 320], ["6 and more", 30, 30 / 320],
    ]  # fmt: skip


counts = st.lists(st.integers(0, 60), min_size=1, max_size=40)


@settings(deadline=None, max_examples=60)
@given(counts, st.integers(1, 30))
def test_no_row_holds_few_members_and_none_is_lost(make_portrait_cells, numbers, min_group):
    rows = pd.DataFrame({"purchases": range(len(numbers)), "members": numbers})
    cells = make_portrait_cells(
        {"purchases": rows, "active": rows.rename(columns={"purchases": "days"})}, members=sum(numbers) or 1
    )
    bought = purchases(cells, min_group)
    assert bought.table["members"].sum() == sum(numbers)  # none is lost
    assert (bought.table["members"] >= min_group).all() or len(bought.table) == 1
    came = activity(cells, min_group)
    if not came.why_empty:
        shown = came.table["members"].dropna()
        assert ((shown == 0) | (shown >= min_group)).all()
        assert shown.sum() <= sum(numbers)


def test_stages_have_their_rules(found):
    assert found.stages.table["stage"].tolist() == ["new", "active", "returned", "left"]
    assert found.stages.share("left") == 120 / 320
    assert found.stages.share("growing") == 0
    assert "14 days" in found.stages.table.loc[1, "rule"]


def test_what_is_planted_is_shown_without_marks(found):
    table = found.planted.table
    assert table["effect"].tolist() == ["plan annual", "return"]
    assert table["how_to_see_it"].tolist() == ["spells.", "Time."]
    assert found.planted.shown()["size"].tolist() == ["0.522", "0.22"]
    assert found.planted.shown()["effect"].tolist() == ["plan annual", "return"]
    assert found.planted.segments["share"].tolist() == [0.75, 0.25]
    assert found.planted.segments["visits_a_month"].iloc[0] == pytest.approx(0.2 * 30.44)


def test_effects_that_are_seen_alike_share_a_row(make_portrait_cells):
    lot = {"unit": "ratio", "naive": ""}
    planted = [
        {"name": f"messages by {by}", "value": value, "identified_by": f"Trial 'holdout {by}'.", **lot}
        for by, value in (("push", 0.9), ("e-mail", -0.95))
    ]
    planted.append({"name": "lot", "value": 1.0, "identified_by": "By 'lot'.", **lot})
    truth = {**make_portrait_cells().meta["truth"], "planted": planted}
    shown = sj.portrait(make_portrait_cells(truth=truth)).planted.shown()
    assert shown[["effect", "size", "how_to_see_it"]].to_numpy().tolist() == [
        ["messages by push, e-mail", "0.9, −0.95", "Trial 'holdout …'."],
        ["lot", "1", "By 'lot'."],
    ]


def test_a_bare_case_has_fewer_parts_and_says_why(make_portrait_cells):
    bare = dict.fromkeys(("purchases", "money", "messages", "acquisition", "late"))
    groups = pd.DataFrame(
        [("all", "all", 320, 280, 320)], columns=["by", "group", "members", "joined", "with_us"]
    )
    missing = ["spells", "messages", "costs", "members.churned_at", "members.channel", "events.amount"]
    cells = make_portrait_cells({**bare, "groups": groups}, missing=missing, truth=None, first_value="")
    found = sj.portrait(cells)
    assert not found.leaving_known
    assert found.joiners.channels == ()
    assert found.steps.takes_off is None
    assert "true_share" not in found.steps.table
    assert "true_share" not in found.rhythm.table
    empty = {
        name
        for name in ("groups", "purchases", "messages", "acquisition", "planted")
        if getattr(found, name).why_empty
    }
    assert len(empty) == 5
    assert found.stages.table.set_index("stage").loc["left", "rule"] == "not known here"
    checks = verdicts(cells, found)
    assert checks["Tables and columns"].verdict == "warn"
    assert "`spells` and no `messages`" in checks["Tables and columns"].finding.replace(", ", " and no ")
    assert checks["The last days are complete"].verdict == "warn"
    assert "The known truth" not in checks


@pytest.mark.parametrize("change", [{"mass": 1.0}, {"recent_days": 0}, {"min_group": 0}])
def test_parameters_out_of_range(cells, change):
    with pytest.raises(ParameterError, match=next(iter(change))):
        sj.portrait(cells, **change)


def test_sound_data_pass_every_check(cells):
    assert {check.verdict for check in verdicts(cells).values()} == {"pass"}
    assert len(verdicts(cells)) == 10


def with_days(cells, change):
    days = cells["days"]
    events = days["what"] == "events"
    days.loc[events, "n"] = change(days.loc[events, "n"].to_numpy().copy())
    return replace(cells, tables={**cells.tables, "days": days[days["n"] > 0]})


def put(position, value):
    def changed(n):
        n[position] = value
        return n

    return changed


@pytest.mark.parametrize(
    ("change", "name", "verdict", "said"),
    [
        (
            put(3, 0),
            "Something happens every day",
            "warn",
            "1 day of 28 without any event, the first on 9 January 2025",
        ),
        (lambda n: n * 0, "Something happens every day", "fail", "no event at all"),
        (put(0, 711), "No day dominates", "warn", "6 January 2025, has 5.00 %"),
        (put(0, 710), "No day dominates", "pass", "has 5.00 %"),
    ],
)
def test_days_that_are_missing_or_dominate(cells, change, name, verdict, said):
    check = verdicts(with_days(cells, change))[name]
    assert check.verdict == verdict
    assert said in check.finding


@pytest.mark.parametrize(
    ("meta", "name", "verdict"),
    [
        ({"before_joining": 1}, "No event before joining", "warn"),
        ({"without_events": 32}, "Members do something", "pass"),
        ({"without_events": 33}, "Members do something", "warn"),
        ({"read": 336}, "Members left out", "pass"),
        ({"read": 337}, "Members left out", "warn"),
        ({"read": None}, "Members left out", "pass"),
    ],
)
def test_checks_by_their_stated_rules(make_portrait_cells, meta, name, verdict):
    assert verdicts(make_portrait_cells(**meta))[name].verdict == verdict


def test_one_channel_dominates_above_four_in_five(make_portrait_cells):
    def groups(most):
        rows = [
            ("all", "all", 320, 280, 200),
            ("channel", "tv", most, most, 100),
            ("channel", "web", 280 - most, 280 - most, 100),
        ]
        return pd.DataFrame(rows, columns=["by", "group", "members", "joined", "with_us"])

    for most, verdict in ((224, "pass"), (225, "warn")):
        cells = make_portrait_cells({"groups": groups(most)})
        assert verdicts(cells)["No channel dominates"].verdict == verdict


def test_rows_still_to_come():
    # all rows take two days: half of those of the second day and all of the first are missing, of seven
    assert still_to_come(pd.DataFrame({"days": [2], "rows": [50]})) == pytest.approx(1.5 / 7)
    assert still_to_come(pd.DataFrame({"days": [0], "rows": [50]})) == 0
    assert still_to_come(pd.DataFrame({"days": [], "rows": []})) == 0


def test_late_rows_make_the_last_days_incomplete(make_portrait_cells):
    late = pd.DataFrame({"days": [0, 20], "rows": [97, 3]})
    check = verdicts(make_portrait_cells({"late": late}))["The last days are complete"]
    assert check.verdict == "warn"
    assert "about 3.0 % are still to come" in check.finding


def test_shares_far_from_what_is_planted_are_seen(make_portrait_cells):
    truth = make_portrait_cells().meta["truth"]
    # 200 of 280 lie 3.6 and 4.1 standard errors above
    for share, verdict in ((0.61, "pass"), (0.595, "warn")):
        cells = make_portrait_cells(truth={**truth, "shares": {"plan": {"monthly": share}}})
        assert verdicts(cells)["The known truth"].verdict == verdict
