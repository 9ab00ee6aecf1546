"""Tables of the cells that only some questions read: a trial carries them, with its own names of strata."""

import pandas as pd
import pytest

from sojourn.core.cells import Cells
from sojourn.studies.trials.trial import trial


def make_cells(small=4):
    """Two schemes, three strata of which one is small, and a table of times."""
    grid = [(a, s, n) for a in ("none", "gift") for s, n in (("east", 300), ("west", 300), ("tiny", small))]
    binary = pd.DataFrame(
        [("kept_at_90", a, s, "2025-01", n, n // 2) for a, s, n in grid],
        columns=["outcome", "scheme", "stratum", "period", "n", "k"],
    )
    split = pd.DataFrame({"scheme": ["none", "gift"], "period": "2025-01", "assigned": 700, "matured": 600})
    times = pd.DataFrame([(a, s, 0, n, 0, 0) for a, s, n in grid],
                         columns=["scheme", "stratum", "day", "entered", "churned", "censored"])  # fmt: skip
    arrivals = pd.DataFrame({"day": [0, 1], "scheme": ["none", "gift"], "assigned": [700, 700]})
    tables = {"binary": binary, "split": split, "times": times, "arrivals": arrivals}
    return Cells("test", "trials", tables, {"trial": "main", "horizon_days": 90})


def strata_of(by, smallest):
    return set(trial(make_cells(small=12), strata=by, min_group=smallest).other("times")["stratum"])


@pytest.mark.parametrize("by", ["none", "period"])
def test_all_members_are_one_stratum_where_the_trial_has_no_other(by):
    assert strata_of(by, 20) == {"all"}


def test_strata_are_called_as_in_the_trial():
    assert strata_of("stratum", 3) == {"east", "west", "tiny"}
    made = trial(make_cells(small=12), min_group=20)
    assert set(made.other("times")["stratum"]) == set(made.strata) == {"west", "other"}


def test_a_table_without_strata_is_as_it_was():
    made = make_cells()
    pd.testing.assert_frame_equal(trial(made, min_group=3).other("arrivals"), made["arrivals"])


def test_a_table_that_is_not_there_is_empty_and_what_is_given_is_a_copy():
    made = trial(make_cells(), min_group=3)
    assert made.other("ratio").empty
    made.other("times")["entered"] = -1
    assert (made.other("times")["entered"] >= 0).all()
