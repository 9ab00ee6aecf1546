"""Pictures of beliefs, of all trials and of early results draw what the results hold."""

from dataclasses import replace

import numpy as np
import pytest

import sojourn as sj
from portfolio_worlds import make_portfolio
from sojourn.core.errors import UndefinedError
from sojourn.core.results.portfolio import Portfolio, ProxyExam
from sojourn.core.results.trial_prior import PastLifts
from sojourn.viz.portfolio import plot_portfolio, plot_proxy, plot_running
from sojourn.viz.trial_prior import plot_past, plot_prior_check
from trial_worlds_of_words import made_check, made_past


@pytest.fixture(scope="module")
def portfolio():
    belief = sj.LiftPrior.from_belief(low=-2, high=2, mass=0.9)
    rule = {"rope": 0.0, "threshold": 0.9, "rng": np.random.default_rng(0), "belief": belief}
    return sj.portfolio(make_portfolio(40), "net_value", **rule)


@pytest.fixture(scope="module")
def exam():
    return sj.proxy_exam(make_portfolio(40), "net_value", rng=np.random.default_rng(0))


def points(ax, hollow=False):
    lines = [line for line in ax.lines if line.get_marker() == "o"]
    kept = [line for line in lines if (line.get_markerfacecolor() == "none") is hollow]
    return sorted(float(y) for line in kept for y in line.get_ydata())


def words(ax):
    return {text.get_text() for text in ax.texts} | {label.get_text() for label in ax.get_yticklabels()}


def test_every_scheme_is_drawn_shrunk_and_as_counted(portfolio):
    ax = plot_portfolio(portfolio)
    np.testing.assert_allclose(points(ax), sorted(portfolio.table["lift"]))
    np.testing.assert_allclose(points(ax, hollow=True), sorted(portfolio.table["raw_lift"]))
    assert {"worth it", "as counted"} <= words(ax)
    assert ax.get_ylabel() == "EUR per member"


def test_few_schemes_have_their_names(portfolio):
    few = replace(portfolio, table=portfolio.table.iloc[:5])
    ax = plot_portfolio(few)
    rows = few.table.sort_values("lift")
    assert [label.get_text() for label in ax.get_yticklabels()] == rows["trial"].tolist()
    lines = [line for line in ax.lines if line.get_marker() == "o" and line.get_markerfacecolor() != "none"]
    np.testing.assert_allclose([line.get_xdata()[0] for line in lines], rows["lift"])
    shared = few.table.assign(trial="main", scheme=list("abcde"))
    named = plot_portfolio(replace(few, table=shared)).get_yticklabels()
    assert {label.get_text() for label in named} == {f"{scheme}, main" for scheme in "abcde"}


def test_few_steps_have_the_names_of_their_trials(portfolio):
    running = portfolio.running.iloc[:10].assign(shipped=[0, 0, 1, 1, 1, 2, 2, 2, 2, 2])
    steps = words(plot_running(replace(portfolio, running=running)))
    assert {running["trial"].iloc[2], running["trial"].iloc[5]} <= steps
    assert running["trial"].iloc[0] not in steps


def test_of_very_many_schemes_all_that_ship_are_drawn(portfolio):
    many = replace(portfolio, table=portfolio.table.loc[np.repeat(portfolio.table.index, 12)])
    ax = plot_portfolio(many)
    ships = many.shipped["lift"]
    drawn = points(ax)
    assert len(drawn) <= 2 * 80 < len(many.table)
    assert sum(value >= ships.min() for value in drawn) >= min(80, len(ships))


def test_sums_are_drawn_as_steps_with_what_was_counted(portfolio):
    ax = plot_running(portfolio)
    expected, counted = (line for line in ax.lines if line.get_drawstyle() == "steps-post")
    np.testing.assert_allclose(expected.get_ydata(), portfolio.running["amount"])
    np.testing.assert_allclose(counted.get_ydata(), portfolio.running["raw_amount"])
    assert {"expected", "as counted"} <= words(ax)


def test_early_and_late_effects_are_drawn_with_the_line_where_there_is_one(exam):
    ax = plot_proxy(exam)
    np.testing.assert_allclose(points(ax), sorted(exam.table["late"]))
    assert "to expect" in words(ax)
    bare = plot_proxy(replace(exam, line=exam.line.iloc[:0]))
    assert "to expect" not in words(bare)
    shares = plot_proxy(replace(exam, kind="binary"))
    np.testing.assert_allclose(points(shares), 100 * np.sort(exam.table["late"]))


def test_past_lifts_are_drawn_as_bars_under_their_law():
    past = made_past()
    ax = plot_past(past)
    assert [bar.get_height() for bar in ax.patches] == past.bins["seen"].tolist()
    assert bar_ends(ax) == pytest.approx(
        (100 * past.bins["lift_from"].min(), 100 * past.bins["lift_to"].max())
    )
    assert {"true lifts", "estimates, by the law"} <= words(ax)
    assert ax.get_xlabel() == "members in 100"


def bar_ends(ax):
    return min(b.get_x() for b in ax.patches), max(b.get_x() + b.get_width() for b in ax.patches)


def test_what_was_likely_is_drawn_beside_what_was_seen():
    check = made_check()
    ax = plot_prior_check(check)
    ends = {round(float(x), 6) for line in ax.lines for x in line.get_xdata()}
    for name in ("belief_low", "belief_high", "expected_low", "expected_high", "seen"):
        assert {round(100 * float(x), 6) for x in check.table[name]} <= ends
    assert {"gift", "coupon", "+9.0 counted"} <= words(ax)


def test_pictures_on_a_page_are_small(portfolio, exam):
    for result, view in (
        (portfolio, ""),
        (portfolio, "running"),
        (exam, ""),
        (made_past(), ""),
        (made_check(), ""),
    ):
        assert len(sj.show(result, name="it", view=view).data["svg"]) < 40_000


def test_there_is_nothing_to_draw_where_there_is_nothing():
    empty = Portfolio("t", "y", "value", "y", "EUR", 0.95, 0.0, 0.9, why_empty="No trials.")
    exam = ProxyExam("t", "y", "y", "x", 0.95, 0.5, 0.8, "cannot be judged", why_empty="No trials.")
    past = PastLifts(3, 3, "EUR", 0.95, why_empty="No trials.")
    for plot, result in (
        (plot_portfolio, empty),
        (plot_running, empty),
        (plot_proxy, exam),
        (plot_past, past),
    ):
        with pytest.raises(UndefinedError, match="No trials"):
            plot(result)
        assert sj.show(result, name="it").kind == "missing"
