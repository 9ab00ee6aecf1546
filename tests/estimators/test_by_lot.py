"""Divisions that changed, and members who differed before: found where planted, rarely where not."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sojourn.core.privacy import to_multiples
from sojourn.estimators.bayes.by_lot import (
    NO_SPELLS,
    NOBODY,
    UNKNOWN,
    redivided,
    together,
    unjudged,
    unlike,
)


def divisions(seed, shares, *, members=600, trials=1):
    """Return members of two schemes by month; `shares` get the first."""
    rng, rows = np.random.default_rng(seed), []
    for trial in range(trials):
        for month, share in enumerate(shares):
            given = rng.binomial(members, share)
            rows += [(f"t{trial}", "new", f"m{month:02d}", given)]
            rows += [(f"t{trial}", "none", f"m{month:02d}", members - given)]
    return pd.DataFrame(rows, columns=["trial", "scheme", "period", "assigned"])


@pytest.mark.parametrize(("members", "months"), [(600, 6), (9, 24)])
def test_a_steady_division_is_rarely_taken_for_a_changed_one(members, months):
    """At most one of a thousand sets of trials: of 60 with 5 trials each none."""
    found = [
        bool(redivided(divisions(seed, [0.3] * months, members=members, trials=5))) for seed in range(60)
    ]
    assert not any(found)


@pytest.mark.parametrize("later", [0.5, 0.2])
def test_a_division_that_changed_is_found(later):
    """600 members a month: .1 to .2 over six months is some 80 standard errors squared."""
    table = divisions(1, [0.1] * 3 + [later] * 3)
    assert redivided(table) == {"t0"}
    steady = divisions(2, [0.3] * 6).assign(trial="steady")
    assert redivided(pd.concat([table, steady])) == {"t0"}


def test_rounded_counts_change_no_division():
    """Counts of 30 members a month, to multiples of 20, are off by up to a third."""
    found = 0
    for seed in range(40):
        table = divisions(seed, [0.5] * 12, members=60)
        rounded = table.assign(assigned=to_multiples(table["assigned"], 20))
        found += bool(redivided(rounded, base=20))
    assert found == 0


def test_where_nothing_can_change_nothing_has():
    assert redivided(None) == set()
    assert redivided(divisions(1, [0.3])) == set()
    one_scheme = divisions(1, [0.1, 0.9]).query("scheme == 'new'")
    assert redivided(one_scheme) == set()
    assert redivided(divisions(1, [0.1, 0.9]).iloc[:0]) == set()


def days_before(seed, shares, means, *, planted=0.0, members=600):
    """Return by month what members of two schemes did before; `planted` more days in the new one."""
    rng, rows = np.random.default_rng(seed), []
    for month, (share, mean) in enumerate(zip(shares, means, strict=True)):
        for scheme, more, of in (("new", planted, share), ("none", 0.0, 1 - share)):
            days = rng.poisson(mean + more, int(of * members))
            rows.append(("t", scheme, f"m{month}", len(days), days.sum(), (days**2).sum()))
    return pd.DataFrame(rows, columns=["trial", "scheme", "period", "assigned", "before", "before_sq"])


def test_months_that_differ_are_no_difference_of_schemes():
    """Shares from .1 to .5 while members came on 2, then on 6 days; pooled, every one of 40 seems odd."""
    found = [days_before(seed, (0.1, 0.5), (2, 6)) for seed in range(40)]
    assert sum(len(unlike(table)) for table in found) == 0
    assert all(
        len(unlike(table.drop(columns="period").groupby(["trial", "scheme"], as_index=False).sum()))
        for table in found
    )


def test_members_who_differed_within_months_are_found():
    """Half a day of more than two on average, of 360 and 840 members: some 5 standard errors."""
    odd = unlike(days_before(1, (0.1, 0.5), (2, 6), planted=0.7)).iloc[0]
    assert (odd["trial"], odd["scheme"]) == ("t", "new")
    assert odd["before"] - odd["before_of_control"] == pytest.approx(0.7, abs=0.4)


def test_without_months_it_is_students_test():
    table = days_before(3, (0.5,), (2,), planted=0.4, members=2_000)
    drawn = np.random.default_rng(3)
    groups = [drawn.poisson(2.4, 1_000), drawn.poisson(2.0, 1_000)]
    expected = stats.ttest_ind(*groups).pvalue
    assert unlike(table.drop(columns="period"))["p"].iloc[0] == pytest.approx(expected, rel=1e-9)


def test_who_was_assigned_together_is_known_where_the_cells_say_so():
    arms = pd.DataFrame({"trial": ["a", "a", "b"], "assigned": 400, "together": [0, 40, 0]})
    assert together(arms) == {"a"}
    assert together(arms.drop(columns="together")) == together(None) == set()


def test_a_few_members_who_were_assigned_together_matter_little():
    """Two linked of 15,000 leave a trial as it is; so does one in twenty of a scheme, and no more."""
    arms = pd.DataFrame({"trial": ["a", "a", "b"], "assigned": [7_500, 7_500, 40], "together": [2, 0, 2]})
    assert together(arms) == set()
    assert together(arms.assign(together=[2, 0, 3])) == {"b"}


def test_trials_without_an_outcome_say_why():
    """Nobody followed yet; members who had left, of whom nobody knows who is back; too few of each group."""
    rows = [("young", "kept", 0), ("gone", "back", 90), ("small", "kept", 90), ("told", "kept", 90)]
    assigned = pd.DataFrame(rows, columns=["trial", "aim", "matured"])
    found = unjudged(assigned, {"told"}).set_index("trial")["why"]
    assert found.to_dict() == {"young": NOBODY, "gone": NO_SPELLS, "small": UNKNOWN}
    known = unjudged(assigned, {"told"}, returns=True).set_index("trial")["why"]
    assert known["gone"] == UNKNOWN
    assert unjudged(None, set()).empty
