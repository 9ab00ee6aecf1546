"""Laws of lifetimes on the cells of a case: what they say, where they stop, and who never leaves."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.cells import Cells
from sojourn.core.columns import as_data
from sojourn.core.errors import ParameterError, UndefinedError
from sojourn.core.results.retention_lifetimes import Lifetimes
from sojourn.estimators.survival.follow_up import follow_up
from sojourn.estimators.survival.kaplan_meier import kaplan_meier
from sojourn.report.retention_lifetimes import (
    describe_lifetimes,
    law,
    lifetimes_table,
    say_remaining,
    say_stayers,
)
from sojourn.report.table import lay_out
from sojourn.studies.retention.groups import everyone
from sojourn.studies.retention.lifetimes import LEAST_LEAVERS
from sojourn.studies.retention.stayers import stayers

PROJECT = Path(__file__).parents[2]


def members(make, n=2_000, *, stay=0.0, scale=100.0, shape=1.0, longest=300, seed=1, late=False, **meta):
    """Return cells of members with Weibull lifetimes, of whom a share never leaves."""
    rng = np.random.default_rng(seed)
    life = np.where(rng.random(n) < stay, 1e9, np.ceil(scale * rng.weibull(shape, n))).astype(int)
    potential = rng.integers(0, longest + 1, n)
    entry = np.where(rng.random(n) < 0.3, rng.integers(1, 60, n), 0) if late else np.zeros(n, dtype=int)
    exits = np.minimum(life, potential)
    seen = (entry == 0) | (exits > entry)
    churned = life <= potential
    return make(exits[seen], churned[seen], potential=potential[seen], entries=entry[seen], **meta)


@pytest.fixture(scope="module")
def exponential(make_retention_cells):
    return sj.lifetimes(members(make_retention_cells, late=True), horizons=[30, 90, 180], within=100)


@pytest.fixture(scope="module")
def staying(make_retention_cells):
    return sj.lifetimes(members(make_retention_cells, 4_000, stay=0.3, scale=40, longest=500), within=100)


@pytest.fixture(scope="module")
def telco():
    folder = PROJECT / "data" / "casebook" / "telco" / "retention"
    meta = json.loads((folder / "cells.json").read_text(encoding="utf-8"))
    return Cells("telco", "retention", {"risk": pd.read_csv(folder / "risk.csv")}, meta)


# --- laws -----------------------------------------------------------------------------------------------


def test_the_true_law_is_found_and_read(exponential):
    """Mean 100 days: 41 in 100 are left after 90 days; three standard errors of 2,000 are 4 points."""
    assert exponential.best in {"exponential", "weibull", "generalised gamma"}
    assert exponential.close
    row = exponential.readings.query("model == 'exponential' and duration == 90").iloc[0]
    assert row["retained"] == pytest.approx(np.exp(-0.9), abs=0.04)
    assert row["retained_low"] < row["retained"] < row["retained_high"]
    assert row["counted"] == pytest.approx(row["retained"], abs=0.04)
    assert exponential.stays_to(0).value == pytest.approx(100 * (1 - np.exp(-1)), rel=0.06)
    with pytest.raises(UndefinedError, match="31 days"):
        exponential.stays_to(31)


def test_laws_stand_by_aic_which_is_what_it_says(exponential):
    table = exponential.table
    assert table["aic"].is_monotonic_increasing
    assert table["aic_behind"].iloc[0] == 0
    np.testing.assert_allclose(table["aic"], 2 * table["n_parameters"] - 2 * table["log_likelihood"])
    assert set(table["model"]) | set(exponential.unfitted) >= {"exponential", "weibull", "log-normal"}


def test_what_lies_beyond_follow_up_is_marked(exponential):
    end = exponential.followed
    read = exponential.readings
    assert sorted(read.loc[read["extrapolated"], "duration"].unique()) == [round(1.5 * end), 2 * end]
    assert read.loc[read["extrapolated"], "counted"].isna().all()
    assert read.loc[~read["extrapolated"], "counted"].notna().all()
    inside = exponential.remaining.set_index("duration")["extrapolated"]
    assert not inside[90]
    assert inside[180]
    assert lifetimes_table(exponential).columns[:4].tolist() == [
        "law",
        "AIC_behind_the_best",
        "largest_gap_in_100",
        "foretold_less_counted_in_100",
    ]
    heads = [head.text for head in lay_out(as_data(lifetimes_table(exponential))).heads]
    assert heads[2:4] == ["Largest gap, in 100", "Foretold less counted, in 100"]
    assert heads[-1] == f"Share still with us on day {2 * end}, %"


def test_laws_are_fitted_as_far_as_enough_are_at_risk(make_retention_cells):
    cells = members(make_retention_cells)
    far, near = sj.lifetimes(cells, min_group=20), sj.lifetimes(cells, min_group=100)
    assert everyone(cells).at_risk[far.followed] >= 20
    assert everyone(cells).at_risk[near.followed] >= 100
    assert near.followed < far.followed


def test_order_of_rows_changes_nothing(make_retention_cells):
    cells = members(make_retention_cells, 500)
    shuffled = Cells("t", "retention", {"risk": cells["risk"].sample(frac=1, random_state=1)}, cells.meta)
    pd.testing.assert_frame_equal(sj.lifetimes(cells).table, sj.lifetimes(shuffled).table, check_exact=True)


def test_randomness_is_untouched(make_retention_cells):
    before = np.random.get_state()[1].copy()  # noqa: NPY002 (the state that must not move)
    sj.lifetimes(members(make_retention_cells, 300))
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


# --- the examination ---------------------------------------------------------------------------------------


def test_a_law_that_holds_foretells_and_one_that_breaks_does_not(make_retention_cells):
    """Fault: from day 200 on members leave five times as fast, which the first two thirds cannot tell."""
    rng = np.random.default_rng(5)
    early = rng.exponential(200, 4_000)
    broken = np.where(early > 200, 200 + (early - 200) / 5, early)
    verdicts = []
    for life in (early, broken):
        exits = np.minimum(np.ceil(life), 300).astype(int)
        cells = make_retention_cells(exits, np.ceil(life) <= 300, potential=np.full(4_000, 300))
        (check,) = sj.check_results(sj.lifetimes(cells))
        verdicts.append(check.verdict)
    assert verdicts == ["pass", "warn"]


def test_telco_has_a_law_that_is_not_to_be_relied_on(telco):
    """Members left faster again in their sixth year: no law within 2 points, and none foretells it."""
    result = sj.lifetimes(telco, horizons=[12, 24, 48], within=24)
    assert result.followed == 72
    assert not result.close
    assert sj.brief(result) == ""
    assert "too far to be relied on" in sj.say(result)
    assert "stay" not in sj.say(result)
    assert sj.check_results(result)[0].verdict == "warn"
    assert result.stayers.reason == "not slowing down"


# --- who never leaves -----------------------------------------------------------------------------------


def test_a_share_that_never_leaves_is_found_after_long_follow_up(staying):
    assert staying.best == "weibull with stayers"
    assert staying.stayers.known
    assert staying.stayers.stays.low < 0.3 < staying.stayers.stays.high
    assert staying.stayers.stays.high - staying.stayers.stays.low < 0.06
    assert "never leave, as far as follow-up can tell" in sj.say(staying)


def test_without_long_follow_up_only_bounds_are_given(make_retention_cells):
    risk = everyone(members(make_retention_cells, 5_000, stay=0.3, scale=60, longest=90))
    found = stayers(risk)
    assert not found.known
    assert found.reason == "followed too briefly"
    assert (found.stays.low, found.model) == (0.0, "")
    assert 0.3 < found.stays.high < 0.6


def test_where_everybody_left_none_is_claimed(make_retention_cells):
    risk = everyone(members(make_retention_cells, 5_000, scale=40, longest=700))
    assert stayers(risk).reason == "not needed"


def test_where_no_law_fits_the_curve_itself_is_read(make_retention_cells):
    """Half of all leave on one of two days, the others stay: no smooth law, but a plateau at one half."""
    rng = np.random.default_rng(6)
    life = np.where(rng.random(6_000) < 0.5, rng.choice([5, 40], 6_000), 10_000)
    potential = rng.integers(50, 400, 6_000)
    cells = make_retention_cells(np.minimum(life, potential), life <= potential, potential=potential)
    found = stayers(everyone(cells))
    assert found.known
    assert found.model == "Kaplan-Meier"
    assert found.stays.low < 0.5 < found.stays.high
    # its lower bound allows for all who may still leave within as long again
    seen = everyone(cells).while_at_least(20)
    curve, to_come = kaplan_meier(seen, 0.95), follow_up(seen).to_come
    assert to_come > 0
    assert (found.stays.low, found.stays.high) == (curve.low[-1] - to_come, curve.high[-1])


def test_a_handful_followed_for_days_tells_nothing(make_retention_cells):
    found = stayers(everyone(make_retention_cells([2] * 30, [False] * 30)))
    assert found.reason == "too few followed"
    assert found.stays.high == 1.0


def test_follow_up_ends_before_the_first_thin_day(make_retention_cells):
    risk = everyone(make_retention_cells([5] * 25 + [9] * 15, [False] * 40))
    assert len(risk.while_at_least(20)) == 6
    assert len(risk.while_at_least(15)) == 10


# --- where there is no answer -------------------------------------------------------------------------------


def test_where_there_is_no_law_one_sentence_says_why(make_retention_cells):
    few = make_retention_cells([9] * 5 + [40] * 95, [True] * 5 + [False] * 95)
    brief = make_retention_cells([1, 2, 3] * 30, [True] * 90)
    for cells, why in (
        (few, f"Fewer than {LEAST_LEAVERS} members left"),
        (brief, "Fewer than 20 members were still observed after 6 days"),
    ):
        result = sj.lifetimes(cells)
        assert why in result.why_empty
        assert sj.say(result) == result.why_empty
        assert sj.brief(result) == ""
        assert lifetimes_table(result).empty
        assert sj.check_results(result) == []
        assert describe_lifetimes(result)["note"] == result.why_empty
        with pytest.raises(UndefinedError):
            _ = result.best


@pytest.mark.parametrize(
    ("asked", "name"), [({"mass": 1.0}, "mass"), ({"within": 0}, "within"), ({"min_group": 0}, "min_group")]
)
def test_parameters_out_of_range_are_refused(make_retention_cells, asked, name):
    with pytest.raises(ParameterError, match=f"'{name}' must be"):
        sj.lifetimes(members(make_retention_cells, 100), **asked)


# --- words ------------------------------------------------------------------------------------------------


def test_words_are_those_of_the_case(make_retention_cells):
    silent = sj.lifetimes(members(make_retention_cells, leaving="silence", lapse=30), within=100)
    said = f"{sj.say(silent)} {describe_lifetimes(silent)['title']} {sj.brief(silent)}"
    assert "still active" in said
    assert "leave " not in said
    assert "stay active for" in sj.brief(silent)


def test_the_note_names_extrapolation_its_condition_and_the_mass(exponential):
    note = describe_lifetimes(exponential)["note"]
    assert "is extrapolation: it and its 95 % confidence interval hold only if the law does" in note
    assert say_remaining(exponential) not in note  # the table of time to come says so
    assert say_stayers(exponential) in note
    assert len(sj.brief(exponential).split()) < 25
    assert repr(exponential).startswith("Lifetimes (")


def test_the_title_spans_what_the_near_laws_leave_open(exponential):
    from dataclasses import replace

    end = 2 * exponential.followed
    readings = pd.DataFrame({"model": ["a", "b", "far"], "duration": end, "retained": [0.18, 0.19, 0.4]})
    readings = readings.assign(retained_low=[0.17, 0.18, 0.3], retained_high=[0.185, 0.2, 0.5])
    table = exponential.table.head(3).assign(model=["a", "b", "far"], aic_behind=[0.0, 9.0, 10.0])
    two = replace(exponential, table=table, readings=readings)
    title = describe_lifetimes(two)["title"]
    assert title.startswith(f"If one of the two nearest laws went on to day {end}, 17 % to 20 % would be")
    assert title.endswith("still with us; these data cannot show whether it does")
    one = replace(two, table=table.assign(aic_behind=[0.0, 20.0, 30.0]))
    title = describe_lifetimes(one)["title"]
    assert title.startswith(f"If the nearest law went on to day {end}, 17 % to 18 % would")


def test_every_reason_has_words(staying):
    from dataclasses import replace

    for reason in ("too few followed", "not slowing down", "followed too briefly", "not needed"):
        known = replace(staying.stayers, reason=reason)
        assert "is not known, only that it is between none and" in sj.say(replace(staying, stayers=known))
    counted = replace(staying.stayers, model="Kaplan-Meier")
    assert "last level of the counted curve" in sj.say(replace(staying, stayers=counted))
    assert law(Lifetimes("day", 0.95, "cancellation", 0, 1), "exponential") == "exponential (a constant rate)"
