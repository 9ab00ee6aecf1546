"""The limit beyond which values are absurd."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.data.checks.tails import limit


def histogram(values) -> Counter[float]:
    return Counter(float(value) for value in values)


def test_few_values_have_no_limit():
    assert limit(histogram(range(1, 20)), least=10) is None
    assert limit(histogram(range(1, 21)), least=10) is not None


def test_the_limit_is_worked_by_hand():
    values = histogram([2] * 60 + [20] * 38 + [900] * 2)  # p50 = 2, p95 = 20
    assert limit(values, least=10) == 20 * 100
    assert limit(values, least=1_000) == 20 * 1_000


@pytest.mark.parametrize("spread", [0.3, 1.0, 1.5, 2.0])
def test_of_log_normal_values_none_of_a_hundred_thousand_is_absurd(spread):
    values = np.exp(np.random.default_rng(1).normal(0, spread, 100_000)).round(2) + 0.01
    # 0.04 are expected beyond the limit
    assert max(values) <= limit(histogram(values), least=10)


@given(st.lists(st.integers(1, 10_000), min_size=20, max_size=200), st.integers(2, 50))
def test_the_limit_has_the_unit_of_the_values(values, factor):
    one, other = limit(histogram(values), least=10), limit(histogram(v * factor for v in values), least=10)
    assert other == pytest.approx(one * factor)
    assert one >= 10 * np.quantile(values, 0.95, method="inverted_cdf") * (1 - 1e-12)
