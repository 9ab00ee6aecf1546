"""Pictures of revenue draw what the results hold, on axes that name their unit."""

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.results.trial_plan import LiftPrior
from sojourn.core.results.trial_revenue import Adjusted, PaymentSizes, Revenue
from sojourn.core.results.trials import TrialResult

EDGES = [0.0, 5, 10, 20, 40, 80, np.inf]
SHARES = {"none": [0.05, 0.15, 0.3, 0.25, 0.15, 0.1], "gift_card": [0.04, 0.16, 0.3, 0.2, 0.2, 0.1]}
LAW = [0.06, 0.14, 0.25, 0.28, 0.17, 0.1]


@pytest.fixture
def sizes():
    rows = [
        (scheme, low, high, share, law)
        for scheme, shares in SHARES.items()
        for low, high, share, law in zip(EDGES[:-1], EDGES[1:], shares, LAW, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["scheme", "amount_from", "amount_to", "share", "share_by_law"])
    return PaymentSizes("none", "EUR", 90, 900, table, pd.DataFrame(), 0.4, True)


@pytest.fixture
def revenue(sizes):
    names = ["amount_above", "amount_above_low", "amount_above_high"]
    arms = [("none", 1000, np.nan, np.nan, np.nan), ("gift_card", 1000, 1.5, 0.4, 2.6)]
    split = [("who pays", 1.2, 0.3, 2.1), ("how much", -0.2, -0.9, 0.5), ("refunded", 0.5, 0.1, 0.9)]
    table = pd.DataFrame(arms, columns=["scheme", "n", *names])
    parts = pd.DataFrame(split, columns=["part", *names]).assign(scheme="gift_card")
    return Revenue("none", "EUR", 90, 0.95, "hurdle", "It fits.", table, parts, sizes, np.zeros((2, 2)))


def bars(ax):
    return [(bar.get_x(), bar.get_width(), bar.get_height()) for bar in ax.patches]


def test_a_bar_has_the_area_of_its_share(sizes):
    ax = sj.plot_sizes(sizes)
    panels = ax.get_figure().axes
    assert [panel.get_title(loc="left") for panel in panels] == ["no scheme", "gift card"]
    for panel, shares in zip(panels, SHARES.values(), strict=True):
        areas = [h * (np.log(x + w) - np.log(x)) for x, w, h in bars(panel)]
        np.testing.assert_allclose(areas, shares)
        assert panel.get_xscale() == "log"
    assert panels[0].get_ylim() == panels[1].get_ylim()
    assert "EUR" in panels[-1].get_xlabel()
    assert "log-normal law" in [text.get_text() for text in panels[0].texts]


def test_open_bins_end_where_the_law_falls_off(sizes):
    """The density of the law falls over the first and last bin at least as it does beside them."""
    [line] = [line for line in sj.plot_sizes(sizes).lines if len(line.get_xdata()) == len(LAW)]
    law = line.get_ydata()
    assert law[0] < law[1]
    assert law[-1] < law[-2]
    places = [x for x, _, _ in bars(sj.plot_sizes(sizes))]
    assert places[0] > 0
    assert places[1:] == EDGES[1:-1]


def test_few_bins_are_drawn_too(sizes):
    few = sizes.table[sizes.table["amount_from"].isin([0, 5])].assign(amount_to=[5, np.inf] * 2)
    ax = sj.plot_sizes(PaymentSizes("none", "", 90, 900, few, pd.DataFrame(), 0.4, True))
    assert [w > 0 for _, w, _ in bars(ax)] == [True, True]
    assert ax.get_figure().axes[-1].get_xlabel() == "what one who pays paid (logarithmic scale)"


def test_a_lift_and_its_parts_are_drawn_with_their_numbers(revenue):
    ax = sj.plot_revenue(revenue)
    ends = {float(x) for line in ax.lines for x in np.ravel(line.get_xdata())}
    drawn = revenue.drawn()
    assert drawn["part"].tolist() == ["revenue", "who pays", "how much", "refunded"]
    assert set(drawn[["amount_above", "amount_above_low", "amount_above_high"]].to_numpy().ravel()) <= ends
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["revenue per member", "who pays", "how much", "refunds"]
    assert {"gift card", "+1.50 (0.40 to 2.60)"} <= {text.get_text() for text in ax.texts}
    assert ax.get_xlabel() == "EUR per member, above no scheme"


@pytest.mark.parametrize(
    ("kind", "factor", "unit"), [("binary", 100, "members in 100"), ("value", 1, "EUR per member")]
)
def test_a_lift_is_drawn_with_and_without_the_past(kind, factor, unit):
    lifts = ["lift", "lift_low", "lift_high"]
    names = ["scheme", *lifts, *(f"plain_{name}" for name in lifts)]
    table = pd.DataFrame([("gift_card", 0.1, 0.05, 0.15, 0.2, 0.1, 0.3)], columns=names)
    nothing = pd.DataFrame()
    result = TrialResult("x", kind, "none", "x", "EUR", 90, LiftPrior(-4, 4, 0.9), (0, 1), 0.95, nothing,
                         nothing, 0.0, 0.5, np.zeros((2, 2)))  # fmt: skip
    ax = sj.plot_adjusted(Adjusted("x", "x", "the past", result, result, table))
    ends = {round(float(x), 9) for line in ax.lines for x in np.ravel(line.get_xdata())}
    assert {round(factor * x, 9) for x in (0.1, 0.05, 0.15, 0.2, 0.3)} <= ends
    assert ax.get_xlabel() == unit


def test_a_picture_is_small(revenue, sizes):
    for result, name in ((revenue, "revenue"), (sizes, "sizes")):
        assert len(sj.show(result, name=name).data["svg"]) < 15_000
