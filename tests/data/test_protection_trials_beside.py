"""Protected cells beside a trial's outcomes: multiples that add up, and the rest withheld."""

import numpy as np
import pandas as pd
import pytest

from sojourn.data.protection.trials_beside import RULES, protect_beside

SCHEMES = ("gift", "none")


def times(members, rng):
    """Return exact times of two schemes, two strata and two months."""
    rows = []
    for scheme in SCHEMES:
        for stratum in ("east", "west"):
            for period in ("2025-01", "2025-02"):
                days = rng.integers(1, 120, members)
                left = rng.random(members) < 0.4
                rows.append((scheme, stratum, period, 0, members, 0, 0))
                for day in np.unique(days):
                    at = days == day
                    rows.append(
                        (scheme, stratum, period, int(day), 0, int(left[at].sum()), int((~left[at]).sum()))
                    )
    names = ["scheme", "stratum", "period", "day", "entered", "churned", "censored"]
    return pd.DataFrame(rows, columns=names)


@pytest.mark.parametrize("base", [5, 20])
def test_times_are_multiples_and_all_who_enter_leave_or_are_censored(base) -> None:
    exact = times(300, np.random.default_rng(1))
    shown = protect_beside({"times": exact}, base)["times"]
    assert list(shown.columns) == list(exact.columns)
    assert (shown[["entered", "churned", "censored"]] % base == 0).all(axis=None)
    assert set(shown["stratum"]) | set(shown["period"]) == {"all"}
    sums = shown.groupby("scheme")[["entered", "churned", "censored"]].sum()
    assert (sums["entered"] == sums["churned"] + sums["censored"]).all()
    # read off last on day 90, to the nearest multiple
    left = exact[exact["day"] <= 90].groupby("scheme")["churned"].sum()
    assert shown["day"].max() == 90
    assert (abs(sums["churned"] - left) <= base / 2).all()


def test_counts_are_multiples_and_parts_no_more_than_their_whole() -> None:
    tables = {
        "traits": pd.DataFrame(
            {"column": "plan", "level": ["a", "b"], "scheme": "gift", "assigned": [61, 7]}
        ),
        "overlap": pd.DataFrame(
            {"trial": "side", "other_scheme": "loud", "scheme": SCHEMES, "n": [109, 15], "k": [108, 3]}
        ),
        "brought": pd.DataFrame({"scheme": SCHEMES, "referrer": "-", "n": [52, 30], "k": [9, 30]}),
    }
    shown = protect_beside(tables, 20)
    assert shown["traits"]["assigned"].tolist() == [60]  # 7 members are nobody
    assert shown["overlap"][["n", "k"]].to_numpy().tolist() == [[100, 100]]
    assert shown["brought"][["n", "k"]].to_numpy().tolist() == [[60, 0], [40, 40]]


def test_a_fault_of_nobody_is_told_and_few_are_as_nobody() -> None:
    faults = pd.DataFrame({"fault": "two_schemes", "scheme": ["a", "b", "c"], "members": [0, 19, 31]})
    assert protect_beside({"faults": faults}, 20)["faults"]["members"].tolist() == [0, 0, 40]


def test_what_is_not_declared_is_withheld() -> None:
    told = {*RULES, "faults", "times"}
    withheld = (
        "spend",
        "ratio",
        "covariate",
        "balance",
        "after",
        "arrivals",
        "features",
        "clusters",
        "missing",
    )
    assert not told & set(withheld)
    assert protect_beside({name: pd.DataFrame({"n": [1]}) for name in withheld}, 20) == {}
