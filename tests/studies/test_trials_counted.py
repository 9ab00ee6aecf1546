"""How often members come: known worlds, the law and no law, strata, and what cannot be said."""

import numpy as np
import pandas as pd
import pytest

from sojourn.studies.trials.counted import LAW, NO_LAW, counted_activity
from sojourn.studies.trials.outcome_checks import check_counted
from sojourn.studies.trials.trial import trial
from trial_worlds import cells_of, members

SIZES = {"none": 2_000, "gift": 1_500}


def activity(draw, seed=1):
    """Rows of members with their counts, by a function of scheme, stratum and a generator."""
    rng = np.random.default_rng(seed)
    parts = [
        (s, g, n) for s, size in SIZES.items() for g, n in (("east", size // 3), ("west", size - size // 3))
    ]
    frames = [pd.DataFrame({"scheme": s, "stratum": g, "period": "2025-01", "count": draw(s, g, n, rng)})
              for s, g, n in parts]  # fmt: skip
    rows = pd.concat(frames, ignore_index=True)
    return rows, rows.groupby(list(rows.columns), as_index=False).size().rename(columns={"size": "n"})


def negative_binomial(scheme, stratum, n, rng):
    mean = (12 if stratum == "east" else 6) * (1.25 if scheme == "gift" else 1)
    return rng.negative_binomial(1.4, 1.4 / (1.4 + mean), n)


def broken(scheme, stratum, n, rng):
    """Many who never come, and nobody more than 40 times: no negative binomial."""
    return np.minimum(negative_binomial(scheme, stratum, n, rng) * 2, 40) * (rng.random(n) < 0.6)


def judge(counted, **more):
    cells = cells_of(members(SIZES, factors={}), activity=counted)
    return counted_activity(
        trial(cells, min_group=20), mass=0.95, rng=np.random.default_rng(5), **{"draws": 10_000, **more}
    )


@pytest.fixture(scope="module")
def fits():
    return judge(activity(negative_binomial)[1])


def test_a_planted_ratio_is_found(fits):
    assert (fits.law, fits.best) == (LAW, "gift")
    assert fits.p_fit > 0.01
    times, more = fits.read("gift", "times"), fits.read("gift", "more")
    assert times.low < 1.25 < times.high
    assert more.low < 0.25 * 8 < more.high  # a third has mean 12, the rest 6
    assert times.low > 1
    assert fits.row("gift")["p_more"] > 0.999


def test_both_ways_agree_where_the_law_holds(fits):
    ways = fits.both[fits.both["scheme"] == "gift"].set_index("law")
    sd = (ways.loc[NO_LAW, "more_high"] - ways.loc[NO_LAW, "more_low"]) / 4
    assert ways.loc[LAW, "more"] == pytest.approx(ways.loc[NO_LAW, "more"], abs=0.1 * sd)
    assert ways.loc[LAW, "more_high"] == pytest.approx(ways.loc[NO_LAW, "more_high"], abs=0.2 * sd)


def test_a_law_that_does_not_fit_is_not_used():
    rows, counted = activity(broken)
    result = judge(counted)
    assert (result.law, result.p_fit) == (NO_LAW, 0)
    assert [check.verdict for check in check_counted(result)] == ["warn"]
    shares = rows["stratum"].value_counts(normalize=True)
    means = rows.groupby(["scheme", "stratum"])["count"].mean()
    for scheme in SIZES:
        expected = sum(shares[stratum] * means[scheme, stratum] for stratum in shares.index)
        assert result.row(scheme)["mean"] == pytest.approx(expected, abs=0.02)  # simulation error .003


def test_where_the_law_fits_the_check_passes(fits):
    assert [check.verdict for check in check_counted(fits)] == ["pass"]


def test_histograms_are_those_of_the_members(fits):
    rows, _ = activity(negative_binomial)
    seen = fits.histogram[fits.histogram["scheme"] == "gift"].set_index("count")
    counted = rows.loc[rows["scheme"] == "gift", "count"].value_counts()
    pd.testing.assert_series_equal(
        seen.loc[seen["n"] > 0, "n"], counted.sort_index(), check_names=False, check_dtype=False
    )
    assert seen["expected"].sum() == pytest.approx(SIZES["gift"], rel=0.001)  # the law goes on beyond


def test_control_has_no_difference_from_itself(fits):
    control = fits.row("none")
    assert control[["more", "more_low", "times", "times_high", "p_more"]].isna().all()


def test_rows_in_any_order_give_the_same(fits):
    shuffled = judge(activity(negative_binomial)[1].sample(frac=1, random_state=2))
    pd.testing.assert_frame_equal(fits.table, shuffled.table)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.iloc[:0], "do not count days"),
        (lambda c: c.assign(count=0), "Nobody had an event"),
        (
            lambda c: c[(c["scheme"] != "gift") | (c["stratum"] != "east")],
            "no members with complete follow-up",
        ),
    ],
)
def test_what_cannot_be_compared_says_why(change, said):
    result = judge(change(activity(negative_binomial)[1]))
    assert said in result.why_empty
    assert result.table.empty
    assert check_counted(result) == []


def test_where_nobody_comes_under_control_there_is_a_difference_and_no_ratio():
    counted = activity(negative_binomial)[1]
    counted.loc[counted["scheme"] == "none", "count"] = 0
    row = judge(counted).row("gift")
    assert row["more"] > 5
    assert np.isnan(row["times"]) or row["times"] > 100
