"""What a column's name says about its numbers."""

import csv
import io
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.core.columns import as_data, as_written, columns_of, csv_of, csv_text, kind_of, rounded, stem


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("n", 12, "count"),
        ("members", 12, "count"),
        ("at_risk", 12, "count"),
        ("at_risk", 12.5, "number"),
        ("retained", 0.5, "share"),
        ("retained_low", 0.5, "share"),
        ("visit_rate", 0.5, "share"),
        ("kept", 0.5, "share"),
        ("kept", 12, "count"),
        ("kept", 12.0, "number"),
        ("lift", 0.02, "points"),
        ("lift_high", -0.02, "points"),
        ("lift", 3.5, "number"),
        ("p_best", 0.9, "probability"),
        ("p_value", 0.0087, "p_value"),
        ("rel_lift", 0.12, "relative"),
        ("net_value", 1.25, "money"),
        ("net_value_low", 1.25, "money"),
        ("median_days", 35.0, "days"),
        ("duration", 30, "whole"),
        ("days_since_joining", 30, "whole"),
        ("months_since_first_purchase", 12, "whole"),
        ("days_since_joining", 30.5, "number"),
        ("cohort_year", 1997, "whole"),
        ("silhouette", 0.4, "number"),
        ("something", 3, "count"),
        ("scheme", "coupon", "text"),
    ],
)
def test_kind_follows_the_name_and_what_the_values_allow(name: str, value: object, kind: str) -> None:
    assert kind_of(name, pd.Series([value])) == kind


def test_truth_values_are_words() -> None:
    frame = pd.DataFrame({"claimed": [True, False]})
    assert as_data(frame) == {"columns": [["claimed", "text"]], "rows": [["yes"], ["no"]]}


def test_bare_bounds_are_of_the_kind_before_them() -> None:
    frame = pd.DataFrame({"lift": [0.02], "low": [0.01], "high": [0.03]})
    assert [column.kind for column in columns_of(frame)] == ["points"] * 3


def test_bounds_know_their_value() -> None:
    assert stem("net_value_low") == "net_value"
    assert stem("high") == ""
    assert stem("lowest") == "lowest"


def test_decimals_and_missing_values_become_plain_numbers_and_none() -> None:
    frame = pd.DataFrame({"amount": [Decimal("1.005"), None], "day": [date(2025, 7, 1), pd.NaT]})
    assert as_data(frame)["rows"] == [[1.005, "2025-07-01"], [None, None]]


def test_a_block_keeps_the_digits_and_its_file_has_those_of_the_kind() -> None:
    table = as_data(pd.DataFrame({"kept": [0.840541234567891234], "n": [7]}))
    assert table["rows"] == [[0.84054123456789, 7]]
    assert csv_of(table) == "kept,n\n0.8405,7\n"


def test_what_is_published_is_rounded_by_kind() -> None:
    assert rounded(0.123456, "share") == 0.1235
    assert rounded(np.float64(1234.567), "money") == 1234.57
    assert rounded(float("nan"), "share") is None
    assert str(rounded(-0.00001, "share")) == "0.0"


@settings(deadline=None)
@given(st.text(min_size=1, max_size=8))
def test_no_text_in_a_csv_starts_like_a_formula(value: str) -> None:
    text = csv_text(["scheme"], [[value]])
    cell = list(csv.reader(io.StringIO(text, newline="")))[1][0]
    assert cell.lstrip()[:1] not in ("=", "+", "-", "@")
    assert as_written(cell).split() == value.split()


def test_negative_numbers_stay_numbers_in_a_csv() -> None:
    assert csv_text(["lift", "scheme"], [[-0.5, "-x"], [None, "a,b"]]) == 'lift,scheme\n-0.5,\'-x\n,"a,b"\n'


def test_a_whole_number_that_is_missing_is_none() -> None:
    frame = pd.DataFrame({"members": pd.array([3, None], "Int64"), "distinct": pd.array([None, 2], "Int64")})
    assert as_data(frame) == {
        "columns": [["members", "count"], ["distinct", "count"]],
        "rows": [[3, None], [None, 2]],
    }
