"""Numbers in words."""

import doctest
import math
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.core import text
from sojourn.core.errors import UndefinedError
from sojourn.core.interval import Interval

finite = st.floats(-1e9, 1e9)


def test_examples_of_the_docstrings_hold() -> None:
    found = doctest.testmod(text)
    assert found.attempted >= 12
    assert found.failed == 0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None])
def test_what_is_not_a_number_is_never_printed(value: float) -> None:
    with pytest.raises(UndefinedError, match="not defined"):
        text.number(value)


@settings(deadline=None)
@given(finite, st.integers(0, 4))
def test_a_printed_number_reads_back_within_half_a_digit(value: float, digits: int) -> None:
    read = float(text.number(value, digits).replace(",", "").replace(text.MINUS, "-"))
    # half of the last digit shown, half of the last of the 14 kept, and the spacing of floats at this size
    assert abs(read - value) <= 0.5 * 10**-digits + 5e-14 * abs(value) + 2 * math.ulp(value)


@settings(deadline=None)
@given(st.integers(-(10**6), 10**6), st.integers(0, 3))
def test_ties_go_to_the_even_digit_of_the_decimal_and_not_of_its_binary_neighbour(
    n: int, digits: int
) -> None:
    tie = (2 * n + 1) / 2 * 10.0**-digits  # exact only for some; the decimal says where the tie lies
    last = int(text.once(tie, digits).scaleb(digits))
    assert last % 2 == 0
    assert abs(2 * last - (2 * n + 1)) == 1


def test_a_share_reads_the_same_as_its_percentage() -> None:
    assert text.percent(0.285, 0) == text.number(28.5, 0) + " %" == "28 %"
    assert 0.285 * 100 != 28.5  # what makes this worth a test


@settings(deadline=None)
@given(st.floats(-0.04, 0.04))
def test_zero_has_no_sign(value: float) -> None:
    assert text.number(value, 1, signed=True) == "0.0"


@settings(deadline=None)
@given(st.floats(0, 1))
def test_chances_never_claim_certainty_that_is_not_there(probability: float) -> None:
    said = text.chances(probability)
    assert (said == "0 in 100") == (probability == 0)
    assert (said == "100 in 100") == (probability == 1)


def test_an_interval_says_mass_and_kind_and_all_three_numbers() -> None:
    interval = Interval(-1.25, -2.5, 0.0, mass=0.9, kind="hdi")
    assert text.in_words(interval, "days") == "−1.2 days (90 % highest-density interval −2.5 to 0.0)"
    assert text.in_words(interval, "", digits=2) == "−1.25 (90 % highest-density interval −2.50 to 0.00)"


def test_money_without_a_currency_has_no_trailing_blank() -> None:
    assert text.money(1234.5, "") == "1,234.50"


def test_days_read_the_same_from_text_and_dates() -> None:
    assert text.day("2024-02-29") == text.day(date(2024, 2, 29)) == "29 February 2024"


def test_lists_read_as_sentences() -> None:
    assert text.listing([]) == ""
    assert text.listing(["a", "b"], "or") == "a or b"
