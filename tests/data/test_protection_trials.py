"""Protected cells of trials: larger rows, shares and means keep their value, variances never shrink."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from sojourn.data.protection.trials import least_members, protect

MONTHS = ["2024-03", "2024-04", "2024-05", "2024-06"]
CAP = Decimal(50)
META = {"other_state": 13}


def tables(per_row: int, *, seed: int = 1) -> dict[str, pd.DataFrame]:
    """Return exact cells of two schemes, three strata of unlike size and four months."""
    rng = np.random.default_rng(seed)
    binary, value, split = [], [], []
    for scheme in ("coupon", "none"):
        for month in MONTHS:
            for stratum, share in (("annual", 0.3), ("family", 0.1), ("monthly", 0.6)):
                n = max(int(per_row * share * rng.uniform(0.8, 1.2)), 1)
                binary.append(("kept_at_90", scheme, stratum, month, n, int(rng.binomial(n, 0.6))))
                amounts = [Decimal(int(a)) for a in np.minimum(rng.exponential(12, n), 50)]
                sums = [sum(a**power for a in amounts) for power in (1, 2, 3)]
                value.append(("revenue", scheme, stratum, month, n, *sums))
            assigned = sum(row[4] for row in binary if row[1] == scheme and row[3] == month)
            split.append((scheme, month, assigned + 3, assigned))
    by = ["outcome", "scheme", "stratum", "period", "n"]
    return {
        "binary": pd.DataFrame(binary, columns=[*by, "k"]),
        "value": pd.DataFrame(value, columns=[*by, "total", "total_sq", "total_cube"]),
        "split": pd.DataFrame(split, columns=["scheme", "period", "assigned", "matured"]),
    }


@pytest.mark.parametrize("per_row", [30, 300, 3_000])
@pytest.mark.parametrize("base", [5, 20])
def test_counts_are_multiples_and_parts_of_their_whole(per_row, base) -> None:
    made, said = protect(tables(per_row), META, base, {"revenue": CAP})
    binary, split = made["binary"], made["split"]
    assert (binary[["n", "k"]] % base == 0).all(axis=None)
    assert (binary["k"] <= binary["n"]).all()
    assert (split[["assigned", "matured"]] % base == 0).all(axis=None)
    assert (split["matured"] <= split["assigned"]).all()
    assert said["other_state"] % base == 0


@pytest.mark.parametrize("per_row", [30, 300, 3_000])
def test_rows_are_large_or_all_there_is(per_row) -> None:
    made, _ = protect(tables(per_row), META, 10, {"revenue": CAP})
    rows = made["binary"]
    alone = rows.groupby("scheme").size().max() == 1
    assert alone or rows["n"].min() >= least_members(10)
    assert (
        {"other", "all"} & set(rows["stratum"])
        if per_row < 3_000
        else set(rows["stratum"])
        == {
            "annual",
            "family",
            "monthly",
        }
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_mean_keeps_its_value_and_its_variance_never_shrinks(seed) -> None:
    base, exact = 10, tables(300, seed=seed)
    made, _ = protect(exact, META, base, {"revenue": CAP})
    whole = exact["value"].groupby("scheme")[["n", "total", "total_sq"]].sum()
    shown = made["value"].groupby("scheme")[["n", "total", "total_sq"]].sum()
    for scheme in ("coupon", "none"):
        n, total, squares = (float(value) for value in whole.loc[scheme])
        m, near, more = (float(value) for value in shown.loc[scheme])
        rows = (made["value"]["scheme"] == scheme).sum()
        assert abs(near / m - total / n) <= rows * base * float(CAP) / 2 / m + 0.5
        assert more / m - (near / m) ** 2 > squares / n - (total / n) ** 2


def test_sums_come_in_steps_of_base_times_cap() -> None:
    made, _ = protect(tables(300), META, 10, {"revenue": CAP})
    for power, name in enumerate(("total", "total_sq", "total_cube"), start=1):
        assert all(value % (10 * CAP**power) == 0 for value in made["value"][name])


def test_intervals_of_shares_cover_through_the_rounding() -> None:
    """2,000 arms of 300 members, base 20: the blur is in the variance (three standard errors: 1.5 points)."""
    from sojourn.studies.trials.arms import blur_of_shares

    rng, n, base = np.random.default_rng(2), 300.0, 20
    p = rng.uniform(0.2, 0.4, 2_000)
    k = rng.binomial(int(n), p)
    told = np.floor(k / base + 0.5) * base / n
    narrow = np.sqrt(told * (1 - told) / n)
    wide = narrow * np.sqrt(blur_of_shares(np.full(2_000, n), told, base))
    covered = [float((np.abs(told - p) <= 1.96 * error).mean()) for error in (narrow, wide)]
    assert covered[1] > 0.93
    assert covered[0] < 0.92
