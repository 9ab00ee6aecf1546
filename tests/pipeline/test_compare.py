"""The comparison behind `make verify`: what counts as the same, here and on another class of machine."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.pipeline.compare import compare_bytes, compare_numbers

CSV = "group,retained,retained_low,retained_high\nall,{},0.600000,0.620000\n"


def headline(value, verdict="wait"):
    return json.dumps({"value": value, "low": 0.5, "high": 0.7, "verdict": verdict, "status": "ok"})


@pytest.mark.parametrize(
    ("committed", "rebuilt", "expected"),
    [(b"a", b"a", "same"), (b"a", b"b", "different"), (None, b"a", "new"), (b"a", None, "missing")],
)
def test_bytes(committed, rebuilt, expected):
    assert compare_bytes(committed, rebuilt) == expected


@pytest.mark.parametrize(
    ("rebuilt", "expected"),
    [
        ("0.610000", "same"),
        ("0.610900", "within Monte Carlo error"),  # 4.5 % of the width of 0.02
        ("0.611100", "different"),  # 5.5 %
        ("nan?", "different"),
    ],
)
def test_a_number_with_an_interval_may_move_by_a_twentieth_of_its_width(rebuilt, expected):
    assert compare_numbers("curve.csv", CSV.format("0.610000"), CSV.format(rebuilt)) == expected


@pytest.mark.parametrize(("moved", "expected"), [(0.024, "within Monte Carlo error"), (0.026, "different")])
def test_a_probability_may_move_by_three_monte_carlo_errors(moved, expected):
    texts = [f"scheme,p_best\na,{p}\n" for p in (0.5, 0.5 + moved)]
    assert compare_numbers("best.csv", *texts) == expected


def test_counts_may_not_move():
    assert compare_numbers("n.csv", "group,n\nall,1000\n", "group,n\nall,1001\n") == "different"


def test_a_missing_row_or_column_is_different():
    assert compare_numbers("n.csv", "a,b\n1,2\n3,4\n", "a,b\n1,2\n") == "different"
    assert compare_numbers("n.csv", "a,b\n1,2\n", "a,c\n1,2\n") == "different"


def test_a_headline_whose_verdict_changed_is_different():
    assert compare_numbers("headline.json", headline(0.6), headline(0.605)) == "within Monte Carlo error"
    assert compare_numbers("headline.json", headline(0.6), headline(0.605, "ship")) == "different"


@settings(deadline=None)
@given(st.floats(0.0, 1.0), st.floats(0.001, 0.5), st.floats(-1, 1))
def test_tolerance_scales_with_the_interval(value, width, share):
    text = "x,x_low,x_high\n{},{},{}\n"
    a = text.format(value, value - width / 2, value + width / 2)
    b = text.format(value + share * width, value - width / 2, value + width / 2)
    verdict = compare_numbers("x.csv", a, b)
    if abs(share) > 0.0501:
        assert verdict == "different"
    elif abs(share) < 0.0499:
        assert verdict in {"same", "within Monte Carlo error"}
