"""Divisions that changed over time: found where planted, rarely where not, whatever the rounding."""

import numpy as np
import pandas as pd
import pytest

from sojourn.core.privacy import to_multiples
from sojourn.estimators.bayes.by_lot import redivided


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
