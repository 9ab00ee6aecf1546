"""A belief that hardly allowed what a trial found is told of: else every effect is drawn to it, unseen."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from board_worlds import make_board
from sojourn.core.results.trial_plan import LiftPrior
from sojourn.estimators.bayes.crossed import conflict_p
from sojourn.studies.board.works_on import _EACH

NAME = "Trials lie where the belief expects them"
BELIEF = LiftPrior(-4.0, 4.0, 0.9)


def in_units(cells, factor):
    """Return the same trial in another unit of money."""
    arms = cells["arms"].copy()
    money = arms["outcome"] == "net_value"
    arms["total"] = arms["total"].where(~money, arms["total"] * factor)
    arms["total_sq"] = arms["total_sq"].where(~money, arms["total_sq"] * factor**2)
    return dataclasses.replace(cells, tables={**cells.tables, "arms": arms})


def checked(cells, **beliefs):
    works = sj.works_on(cells, **beliefs)
    checks = sj.check_board(cells, sj.board(cells, works), works, sj.drift(cells))
    return works, {check.name: check for check in checks}[NAME]


@pytest.fixture(scope="module")
def cells():
    """A coupon that brings 6 where it is given."""
    coupon = np.full((4, 5), np.nan)
    coupon[:3] = 6.0
    return make_board(effects={"coupon": coupon}, size=1_000)


def test_a_trial_as_believed_does_not_surprise(cells):
    works, check = checked(cells)
    assert check.verdict == "pass"
    assert set(works.beliefs["outcome"]) == {"lift", "net_value"}
    assert not works.beliefs["conflict"].any()


def test_the_one_furthest_out_is_named():
    """Also where the chance of it, as the furthest of so many, is that of any."""
    coupon, gift = (np.full((4, 5), np.nan) for _ in range(2))
    coupon[:3], gift[:3] = 1.0, 6.0
    cells = make_board(effects={"coupon": coupon, "gift": gift}, size=1_000)
    works, check = checked(cells, belief_value=(-15.0, 15.0, 0.9))
    assert (works.beliefs["p_belief"] == 1).all()
    assert check.finding.startswith("Furthest out of 4 effects: gift in the trial “main”, +")


def test_amounts_ten_times_as_large_as_believed_are_told_of(cells):
    """By name, with what was counted and what is given, and what to do about it."""
    works, check = checked(in_units(cells, 10))
    row = works.beliefs.set_index("outcome").loc["net_value"]
    assert row["counted"] == pytest.approx(60, rel=0.1)
    assert row["effect"] < 0.8 * row["counted"]
    assert (check.verdict, bool(row["conflict"])) == ("warn", True)
    assert "coupon in the trial “main”" in check.finding
    assert f"+{row['counted']:.2f} EUR a member as counted" in check.finding
    assert "`belief_value`" in check.meaning


def test_a_belief_of_the_right_size_ends_the_alarm(cells):
    """The chance is that of the same trial in the unit of the belief: lifts alone keep theirs anyhow."""
    works, check = checked(in_units(cells, 10), belief_value=(-40.0, 40.0, 0.9), rope=5.0)
    assert check.verdict == "pass"
    assert works.beliefs["p_belief"].tolist() == pytest.approx(checked(cells)[0].beliefs["p_belief"].tolist())


def test_of_lifts_the_belief_of_lifts_is_named(cells):
    _, check = checked(cells, belief=(-0.002, 0.002, 0.9))
    assert check.verdict == "warn"
    assert "`belief`" in check.meaning
    assert "members in 100 as counted" in check.finding


def test_every_effect_counts(cells):
    """Twice as many effects: that one is so far out is twice as likely to be chance."""
    cells = in_units(cells, 3)
    again = cells["arms"][cells["arms"]["scheme"] == "coupon"].assign(scheme="gift")
    arms = pd.concat([cells["arms"], again], ignore_index=True)
    twice = dataclasses.replace(cells, tables={**cells.tables, "arms": arms})
    one, two = (sj.works_on(of).beliefs.groupby("outcome")["p_belief"].min() for of in (cells, twice))
    assert two["net_value"] == pytest.approx(2 * one["net_value"])


def test_the_chance_is_that_of_draws_from_the_belief():
    """Of 200,000 trials drawn from it, cells of unequal size; the grid of scales is coarse: to a tenth."""
    rng = np.random.default_rng(3)
    of, draws = (3, 4), 200_000
    row, column = np.divmod(np.array([0, 1, 3, 4, 6, 9, 11]), of[1])
    members, error = rng.uniform(50, 900, row.size), rng.uniform(0.3, 2.0, row.size)
    mean, sd, spread = BELIEF.mean, BELIEF.sd, _EACH * BELIEF.spread * BELIEF.sd
    scales = spread * np.abs(rng.standard_normal((3, draws)))
    parts = [rng.standard_normal((k, draws)) for k in (of[0], of[1], row.size)]
    true = mean + sd * rng.standard_normal(draws)
    true = true + scales[0] * parts[0][row] + scales[1] * parts[1][column] + scales[2] * parts[2]
    share = members / members.sum()
    counted = share @ (true + error[:, None] * rng.standard_normal(true.shape))
    for away in (3.0, 5.0, 7.0):
        told = conflict_p(
            np.full(row.size, mean + away),
            error,
            members,
            row=row,
            column=column,
            shape=of,
            mean=mean,
            sd=sd,
            spread=spread,
        )
        assert told == pytest.approx((np.abs(counted - mean) >= away).mean(), rel=0.1)
