"""Expected leavers: closed forms, sums, and nothing behind a closed gate."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.cells import Cells
from sojourn.core.results.retention_gate import Gate
from sojourn.estimators.survival.hazard_model import exposure, hazard_model, leaves_within
from sojourn.studies.retention.expected import expected_losses
from sojourn.studies.retention.patterned import patterned

DAYS = 28


def gate_that_is(verdict: str, why: str = "") -> Gate:
    return Gate("day", "model", verdict, 0.02, 0.9, table=pd.DataFrame({"duration": [DAYS]}), why_empty=why)


def cells_of(groups: dict[str, tuple[int, int, int]], last: int = 100) -> Cells:
    """Return patterns: by plan, how many are there at age 40, left each day to 60, and stayed to `last`."""
    rows = []
    for plan, (there, leaving, staying) in groups.items():
        entered = there + leaving * 60 + staying
        rows.append((plan, 0, entered, 0, 0))
        rows += [(plan, day, 0, leaving, there if day == 40 else 0) for day in range(1, 61)]
        rows.append((plan, last, 0, 0, staying))
    table = pd.DataFrame(rows, columns=["plan", "day", "entered", "churned", "censored"])
    meta = {"unit": "day", "leaving": "cancellation"}
    return Cells("x", "retention", {"patterns": table.assign(known="now")}, meta)


def test_one_group_in_closed_form():
    """With one effect and free weekly hazards, expected leavers are those of the weekly rates."""
    cells = cells_of({"a": (500, 5, 3_000), "b": (500, 5, 3_000)})
    found = expected_losses(cells, gate_that_is("pass"), within=14)
    # both groups are alike: days 41 to 54 at the rates counted in each week, by hand
    at_risk = {day: 2 * (500 * (day <= 40) + 5 * (60 - day + 1) + 3_000) for day in range(1, 61)}
    rate = {}
    for week in range(9):
        days = [day for day in range(week * 7 + 1, week * 7 + 8) if day <= 60]
        counted = sum(at_risk[day] for day in days) + (3 * 6_000 if week == 8 else 0)
        rate |= dict.fromkeys(days, -np.log1p(-10 * len(days) / counted))
    leaves = -np.expm1(-sum(rate[day] for day in range(41, 55)))
    assert found.total.value == pytest.approx(1_000 * leaves, rel=1e-6)
    np.testing.assert_allclose(found.table["p_leaving"], leaves, rtol=1e-6)


def test_levels_of_a_column_add_up_and_the_worst_comes_first():
    found = expected_losses(cells_of({"a": (300, 2, 900), "b": (200, 6, 900)}), gate_that_is("pass"))
    assert found.within == DAYS
    assert found.table["leavers"].sum() == pytest.approx(found.total.value)
    assert found.table["level"].tolist() == ["b", "a"]
    assert found.members == found.table["members"].sum() == 500
    assert found.too_old == 1_800  # with us at day 100, the last that anybody was followed


def test_intervals_are_wider_than_chance_alone_and_hold_the_value():
    found = expected_losses(cells_of({"a": (300, 2, 900), "b": (200, 6, 900)}), gate_that_is("pass"))
    for row in found.table.itertuples():
        chance = 1.96 * (row.p_leaving * (1 - row.p_leaving) / row.members) ** 0.5
        assert (row.p_leaving_high - row.p_leaving_low) / 2 > chance
        assert row.p_leaving_low < row.p_leaving < row.p_leaving_high


def test_small_groups_are_not_shown_but_count():
    found = expected_losses(cells_of({"a": (300, 2, 900), "b": (15, 6, 900)}), gate_that_is("pass"))
    assert found.table["level"].tolist() == ["a"]
    assert found.members == 315


@pytest.mark.parametrize(
    ("gate", "says"),
    [
        (gate_that_is("fail"), "did not pass"),
        (gate_that_is("cannot be judged"), "did not pass"),
        (gate_that_is("cannot be judged", "Nobody was held out."), "Nobody was held out"),
    ],
)
def test_a_closed_gate_lets_nothing_through(gate, says):
    found = expected_losses(cells_of({"a": (300, 2, 900), "b": (200, 6, 900)}), gate)
    assert found.total is None
    assert found.table.empty
    block = sj.show(found, name="next-losses")
    assert block.kind == "missing"
    assert says in block.data["text"]


def test_nobody_young_enough():
    cells = cells_of({"a": (300, 2, 900), "b": (200, 6, 900)}, last=61)
    found = expected_losses(cells, gate_that_is("pass"), within=60)
    assert "long enough" in found.why_empty


def test_members_are_predicted_up_to_the_last_day_that_anybody_was_followed():
    groups = {"a": (300, 2, 900), "b": (200, 6, 900)}
    reached = expected_losses(cells_of(groups, last=40 + DAYS), gate_that_is("pass"))
    beyond = expected_losses(cells_of(groups, last=40 + DAYS - 1), gate_that_is("pass"))
    assert reached.members == 500
    assert "long enough" in beyond.why_empty


def test_the_page_names_the_group_and_the_total():
    found = expected_losses(cells_of({"a": (300, 2, 900), "b": (200, 6, 900)}), gate_that_is("pass"))
    block = sj.show(found, name="next-losses")
    assert "of b members" not in block.data["note"]
    assert "b" in block.data["title"]
    assert sj.say(found) in block.data["note"]
    assert sj.say(found).startswith("Of 500 members who had not left by the date of the data, ")
    assert (
        "1,800 whose next 28 days reach beyond the longest time anybody was followed are"
        in block.data["note"]
    )


def test_the_interval_adds_the_chance_of_members_to_what_is_not_known_of_the_model():
    """Variance: n p (1 - p) of each pattern, and slopes of the sum by differences with the covariance."""
    cells = cells_of({"a": (300, 2, 900), "b": (200, 6, 900)})
    found = expected_losses(cells, gate_that_is("pass"))
    known = patterned(cells, min_group=20)
    model = hazard_model(exposure(known.counts, 2), known.design.matrix)
    n = np.array([{"a": 300, "b": 200}[plan] for plan in known.frame["plan"]])

    def leaving(theta):
        return leaves_within(replace(model, theta=theta), known.design.matrix, np.array([40, 40]), DAYS)

    steps = 1e-5 * np.eye(len(model.theta))
    slopes = np.array([n @ (leaving(model.theta + one) - leaving(model.theta - one)) / 2e-5 for one in steps])
    p = leaving(model.theta)
    variance = n @ (p * (1 - p)) + slopes @ model.covariance @ slopes
    assert found.total.value == pytest.approx(n @ p, rel=1e-9)
    # differences over 1e-5 are good to 1e-9 or so
    assert found.total.high - found.total.value == pytest.approx(1.959963984540054 * variance**0.5, rel=1e-6)
