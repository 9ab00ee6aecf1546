"""A cell unlike all others is seen, and nothing is done only where that is likely to be right."""

import dataclasses

import numpy as np
import pytest

import sojourn as sj
from board_worlds import SEGMENTS, make_board
from sojourn.core.results.board import IMPROBABLE
from sojourn.estimators.bayes.crossed import fit_crossed


def gains(odd=None):
    """Return a coupon that brings 5 in 15 cells, and in the second segment's active members `odd`."""
    coupon = np.full((4, 5), np.nan)
    coupon[:3] = 5.0
    if odd is not None:
        coupon[1, 2] = odd
    return {"coupon": coupon}


def laid_of(cells):
    works = sj.works_on(cells)
    return works, sj.board(cells, works)


def test_a_cell_that_loses_where_all_others_gain_is_seen_and_not_given():
    works, laid = laid_of(make_board(effects=gains(odd=-3.0), size=1_000))
    assert works.odd[["segment", "stage"]].to_numpy().tolist() == [[SEGMENTS[1], "active"]]
    row = laid.cell(SEGMENTS[1], "active")
    assert (row["act"], row["odd"], row["called"]) == ("try one", "coupon", "coupon")
    assert row["raw_net_value"] < 0
    assert (laid.table.loc[laid.table["evidence"] == "trial", "act"] == "give").sum() == 14


def test_cells_that_do_alike_are_not_odd():
    """Of 20 worlds at most one raises any alarm; uncorrected for the number of cells, four do."""
    alarms = sum(
        len(sj.works_on(make_board(seed=seed, months=2, effects=gains())).odd) > 0 for seed in range(20)
    )
    assert alarms <= 1


def test_the_chance_of_an_estimate_is_that_of_a_fit_without_its_cell():
    """The whole grid is fitted to all others; tolerance of the points that a fit drops."""
    rng = np.random.default_rng(1)
    row, column = np.divmod(np.arange(6), 3)
    estimate, error = rng.normal(0, 3, 6), rng.uniform(0.5, 1.5, 6)
    about = {"shape": (2, 3), "mean": 0.5, "sd": 2.0, "spread": 1.0}
    fit = fit_crossed(estimate, error, row, column, **about)
    for i in range(6):
        others = np.arange(6) != i
        without = fit_crossed(estimate[others], error[others], row[others], column[others], **about).effects()
        below = dataclasses.replace(without, sds=np.sqrt(without.sds**2 + error[i] ** 2)).above(estimate[i])[
            i
        ]
        assert fit.surprise[i] == pytest.approx(2 * min(below, 1 - below), abs=2e-3)


def test_nothing_is_done_only_where_no_scheme_is_likely_to_be_worth_it():
    """What was borrowed counts, too: a bad gift that was tried is no reason where another may be worth it."""
    works, laid = laid_of(make_board())
    still, open_cells = laid.acting("do nothing"), laid.acting("try one")
    assert (still["p_wrong"] < IMPROBABLE).all()
    assert (open_cells.loc[open_cells["n_schemes"] > 0, "p_worth"] > 0).all()
    cell = (works.table["segment"] == SEGMENTS[1]) & (works.table["stage"] == "silent")
    borrowed = cell & (works.table["scheme"] == "coupon")
    table = works.table.assign(
        evidence=works.table["evidence"].mask(borrowed, "observational"),
        p_worth=works.table["p_worth"].mask(borrowed, 0.7),
    )
    row = sj.board(make_board(), dataclasses.replace(works, table=table)).cell(SEGMENTS[1], "silent")
    assert (row["act"], row["called"], row["n_schemes"]) == ("try one", "coupon", 2)
    assert np.isnan(row["p_wrong"])


def test_schemes_of_one_trial_err_together_at_most():
    """Standard deviations of two schemes of one trial add up; of two trials their squares do."""
    gift = np.full((4, 5), np.nan)
    gift[:3] = np.array([[0.0], [6.0], [0.0]])
    coupon = np.full((4, 5), np.nan)
    coupon[:3] = np.array([[6.0], [0.0], [0.0]])
    cells = make_board(effects={"coupon": coupon, "gift": gift}, size=2_000)
    works, laid = laid_of(cells)
    given = laid.acting("give")
    assert set(given["called"]) == {"coupon", "gift"}

    def width(of):
        part = dataclasses.replace(
            works, table=works.table.assign(p_worth=works.table["p_worth"].where(of, 0))
        )
        total = sj.board(cells, part).sums["net_value"]
        return total.high - total.low

    apart = [width(works.table["scheme"] == scheme) for scheme in ("coupon", "gift")]
    total = laid.sums["net_value"]
    assert total.high - total.low == pytest.approx(sum(apart))
