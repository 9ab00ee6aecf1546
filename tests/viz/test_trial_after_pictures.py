"""Pictures of weeks, policies, thirds and groups, tested as data: what is drawn is what the result says."""

import numpy as np
import pytest

import sojourn as sj
from after_results import after, choices, groups
from sojourn.viz.theme import ACCENT
from sojourn.viz.trial_after import plot_afterwards
from sojourn.viz.trial_targeting import plot_bands, plot_fairness, plot_policies

MOST_BYTES = 30_000


def bars(ax):
    return [line.get_xdata().tolist() for line in ax.lines if line.get_linewidth() == 5]


def texts(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize(
    ("paid", "column", "factor"), [(True, "amount_above_control", 1), (False, "active_lift", 100)]
)
def test_weeks_are_those_of_the_result(paid, column, factor):
    result = after(paid=paid)
    above, below = plot_afterwards(result).get_figure().axes
    for ax, scheme, name, times, place in (
        (above, "none", "leaving_rate", 100, 0), (above, "coupon", "leaving_rate", 100, 1),
        (below, "coupon", column, factor, 1),
    ):  # fmt: skip
        own = result.weeks[result.weeks["scheme"] == scheme]
        line = ax.lines[place]
        np.testing.assert_allclose(line.get_xdata(), own["week"] + 0.5)
        np.testing.assert_allclose(line.get_ydata(), times * own[name])
    assert {"coupon", "no scheme", "reward ends"} <= set(texts(above))
    assert above.get_ylim()[0] == 0
    ends = [line.get_xdata()[0] for line in below.lines if len(line.get_xdata()) == 2]
    assert 8.0 in ends


def test_policies_are_told_with_their_shares_and_the_best_in_the_accent():
    result = choices("highest uplift")
    ax = plot_policies(result)
    rows = result.table.iloc[:0:-1]
    np.testing.assert_allclose(bars(ax), rows[["amount_per_1000_low", "amount_per_1000_high"]])
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == [
        "highest uplift (40 %)",
        "highest value (30 %)",
        "highest risk (30 %)",
        "everyone (100 %)",
    ]
    colours = [line.get_color() for line in ax.lines if line.get_linewidth() == 5]
    assert [colour == ACCENT for colour in colours] == [True, False, False, False]
    assert "given to no one" in texts(ax)


def test_thirds_show_what_was_expected_beside_what_was_found():
    result = choices()
    ax = plot_bands(result)
    np.testing.assert_allclose(bars(ax), result.bands.iloc[::-1][["amount_low", "amount_high"]])
    np.testing.assert_allclose(ax.lines[-1].get_xdata(), result.bands["expected_amount"][::-1])


@pytest.mark.parametrize(("currency", "factor"), [("", 100), ("EUR", 1)])
def test_groups_are_those_of_the_surest_gap(currency, factor):
    result = groups(currency=currency)
    ax = plot_fairness(result)
    drawn = result.drawn().sort_values("lift")
    np.testing.assert_allclose(bars(ax), factor * drawn[["lift_low", "lift_high"]])
    np.testing.assert_allclose(ax.lines[-1].get_xdata(), factor * drawn["raw_lift"])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["social", "search"]


@pytest.mark.parametrize(
    ("result", "view"), [(after(), ""), (choices(), ""), (choices(), "bands"), (groups(), "")]
)
def test_pictures_are_small_and_have_words(result, view):
    block = sj.show(result, name="picture", view=view)
    assert block.kind == "picture"
    assert len(block.data["svg"]) < MOST_BYTES
    assert all(block.data[name] for name in ("title", "subtitle", "alt"))
