"""Rounding's part in an interval: by hand, and nothing where nothing is rounded."""

import pandas as pd
import pytest

from sojourn.core.results.trials import Trial
from sojourn.studies.trials.rounded import check_rounding, rounding_share

SCHEMES = ("none", "gift")


def made(n, spread, base=20, cap="50"):
    """Return a trial of n members a scheme whose amounts have a mean of 10 and a variance as told."""
    of = {"scheme": SCHEMES, "stratum": "all", "period": "2025-01", "n": n}
    squares = n * 100 + (n - 1) * spread
    value = pd.DataFrame({"outcome": "revenue", **of, "total": 10 * n, "total_sq": squares, "total_cube": 0})
    binary = pd.DataFrame({"outcome": "converted", **of, "k": n // 2})
    split = pd.DataFrame({"scheme": SCHEMES, "period": "2025-01", "assigned": n, "matured": n})
    meta = {"protected": {"base": base, "caps": {"revenue": cap}}} if base else {}
    shares = dict.fromkeys(SCHEMES, 0.5)
    return Trial("shop", "main", "none", SCHEMES, ("all",), binary, value, split, shares, 20, meta)


def test_the_share_is_that_by_hand():
    """Of 400: (20 x 50)^2 / 12 / 400 + 20 x 50^2 / 2 / 400 = 270.8 of 500; of a share 33.3 in 133.3."""
    assert rounding_share(made(400, 500.0), "revenue") == pytest.approx((1000**2 / 12 + 25_000) / 400 / 500)
    assert rounding_share(made(400, 500.0), "converted") == pytest.approx(
        20**2 / 12 / 400 / (0.25 + 20**2 / 12 / 400)
    )


def test_more_members_need_less_rounding():
    shares = [rounding_share(made(n, 500.0), "revenue") for n in (400, 4_000, 40_000)]
    assert shares[0] > 9 * shares[1] > 81 * shares[2] > 0


def test_nothing_is_said_of_exact_numbers():
    assert check_rounding(made(400, 500.0, base=0), ["revenue", "converted"]) == []


@pytest.mark.parametrize(("n", "verdict"), [(400, "warn"), (40_000, "pass")])
def test_what_rounding_makes_of_an_interval_is_told(n, verdict):
    [check] = check_rounding(made(n, 500.0), ["revenue", "converted"])
    assert check.verdict == verdict
    assert "revenue" in check.finding
    if verdict == "warn":
        assert "1.5 times as wide" in check.finding  # 1 / (1 - .54)^.5
        assert check.finding.endswith("Amounts beyond 50 count as 50.")
