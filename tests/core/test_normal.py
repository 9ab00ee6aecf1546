"""The normal distribution without scipy is that of scipy, to rounding in the last digits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from sojourn.core.normal import standard_errors, two_sided


@given(st.floats(0.01, 0.9999))
def test_standard_errors_are_a_quantile(mass):
    # Wichura's rational approximation and scipy's agree to about 1e-15 relative
    assert standard_errors(mass) == pytest.approx(norm.ppf(0.5 + mass / 2), rel=1e-12)


@given(st.floats(-30, 30))
def test_two_sided_is_twice_the_tail(z):
    assert two_sided(z) == pytest.approx(2 * norm.sf(abs(z)), rel=1e-12)
