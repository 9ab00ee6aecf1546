"""Protected cells of gaps, windows and definitions: multiples of the base that still fit together."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.core.cells import Cells
from sojourn.data.protection.retention_lens import (
    GAP_KNOTS,
    protect_definitions,
    protect_exits,
    protect_gaps,
    protect_windows,
)
from sojourn.studies.retention.groups import read_risk_set
from sojourn.studies.retention.lens import lens, survival
from sojourn.studies.retention.silence import back_share, share_longer

META = {"as_of": "2025-07-01T00:00:00+00:00", "first_sign": "2024-07-01T00:00:00+00:00"}
BASES = st.sampled_from([1, 5, 20])
SIZES = st.integers(0, 3_000)


def gaps_of(n, seed):
    """Gaps of `n` members, five on average each, and one that runs."""
    rng = np.random.default_rng(seed)
    ended = np.bincount(np.ceil(2 + rng.exponential(20, 5 * n)).astype(int), minlength=400)
    running = np.bincount(rng.integers(0, 365, n), minlength=400)
    table = pd.DataFrame({"days": np.arange(len(ended)), "ended": ended, "running": running[: len(ended)]})
    table.loc[table["days"] <= 1, "ended"] = 0
    return table[(table["ended"] > 0) | (table["running"] > 0)].astype("int64").reset_index(drop=True)


def windows_of(n, seed):
    rng = np.random.default_rng(seed)
    tables = []
    for window in (7, 30, 90):
        day, churned = rng.integers(0, 300, n), rng.random(n) < 0.7
        rows = pd.DataFrame({"day": day, "entered": 0, "churned": churned, "censored": ~churned})
        rows["came_back"] = churned & (rng.random(n) < 0.3)
        into = {"day": [0], "entered": [n], "churned": [0], "censored": [0], "came_back": [0]}
        rows = pd.concat([pd.DataFrame(into), rows.astype("int64")])
        tables.append(rows.groupby("day", as_index=False).sum().assign(window=window))
    columns = ["window", "day", "entered", "churned", "censored", "came_back"]
    return pd.concat(tables, ignore_index=True)[columns]


def exits_of(n, seed):
    rng = np.random.default_rng(seed)
    minute = np.where(rng.random(n) < 0.3, rng.integers(0, 2_880, n), rng.integers(48, 2_160, n) * 60)
    churned = (rng.random(n) < 0.6).astype(int)
    rows = pd.DataFrame({"rule": "silence", "minute": minute, "churned": churned, "censored": 1 - churned})
    return rows.groupby(["rule", "minute"], as_index=False).sum().astype({"churned": int, "censored": int})


def lens_of(n, seed):
    rng = np.random.default_rng(seed)
    rows = []
    for rule, mature in (("on", 1), ("on", 0), ("silence", 1), ("silence", 0)):
        members = int(rng.integers(0, n + 1))
        kept = int(rng.integers(0, members + 1))
        rows.append((30, rule, "calendar", "UTC", "zero", mature, members, kept))
    columns = ["day", "rule", "clock", "zone", "numbering", "mature", "members", "kept"]
    return pd.DataFrame(rows, columns=columns)


@settings(deadline=None, max_examples=40)
@given(n=SIZES, seed=st.integers(0, 10_000), base=BASES)
def test_every_count_is_a_multiple_of_the_base(n, seed, base) -> None:
    tables = {
        "gaps": gaps_of(n, seed),
        "windows": windows_of(n, seed),
        "lens": lens_of(n, seed),
        "lens_exits": exits_of(n, seed),
    }
    made = protect_definitions(tables, META, base)
    assert made.keys() == tables.keys()
    names = ["ended", "running", "entered", "churned", "censored", "came_back", "members", "kept"]
    for name, table in made.items():
        assert list(table.columns) == list(tables[name].columns)
        counts = table[[column for column in names if column in table]].to_numpy(dtype=np.int64)
        assert (counts >= 0).all()
        assert (counts % base == 0).all()


@settings(deadline=None, max_examples=40)
@given(n=SIZES, seed=st.integers(0, 10_000), base=BASES)
def test_protected_windows_fit_together(n, seed, base) -> None:
    """All who enter leave or are censored, at risk falls to nobody, and no more come back than lapsed."""
    for _, rows in protect_windows(windows_of(n, seed), base).groupby("window"):
        risk = read_risk_set(rows)
        assert rows["entered"].sum() == rows["churned"].sum() + rows["censored"].sum()
        assert (risk.churned + risk.censored <= risk.at_risk).all()
        assert (rows["came_back"].cumsum() <= rows["churned"].cumsum()).all()


def test_who_came_back_is_near_what_is_so() -> None:
    """As many as are so, to half a base; all who lapsed are followed to the last read-off."""
    exact, shown = windows_of(3_000, 4), protect_windows(windows_of(3_000, 4), 20)
    for window in (7, 30, 90):
        ends = int(shown.loc[shown["window"] == window, "day"].max())
        told, so = (
            rows[(rows["window"] == window) & (rows["day"] <= ends)]["came_back"].sum()
            for rows in (shown, exact)
        )
        assert abs(told - so) <= 20


@settings(deadline=None, max_examples=40)
@given(n=SIZES, seed=st.integers(0, 10_000), base=BASES)
def test_protected_definitions_keep_no_more_than_they_are_about(n, seed, base) -> None:
    made = protect_definitions({"lens": lens_of(n, seed)}, META, base)["lens"]
    assert (made["kept"] <= made["members"]).all()
    exact = lens_of(n, seed).set_index(["rule", "mature"])["members"]
    shown = made.set_index(["rule", "mature"])["members"]
    assert all(abs(shown[key] - exact[key]) <= base / 2 for key in shown.index)


def test_what_is_read_off_protected_cells_is_near_what_is_so() -> None:
    """20,000 members, base 20. Read-offs are off by half a base of thousands; steps of gaps are larger."""
    exact, shown = exits_of(20_000, 1), protect_exits(exits_of(20_000, 1), 20)
    for day in (1, 7, 30, 90):
        assert survival(shown, day * 1440, 20) == pytest.approx(survival(exact, day * 1440, 20), abs=0.02)
    gaps = gaps_of(20_000, 1)
    longer, protected = share_longer(gaps, 20), share_longer(protect_gaps(gaps, 20, 365), 20)
    assert back_share(protected, 30) == pytest.approx(back_share(longer, 30), abs=0.02)


def test_no_member_can_have_more_gaps_than_a_step_counts() -> None:
    """Whatever one member's gaps are, with or without them a count of gaps moves by one step at most."""
    crowd = gaps_of(2_000, 3)
    one = pd.DataFrame(
        {"days": [8], "ended": [365 // 7], "running": [1]}
    )  # comes every eighth day, for a year
    both = pd.concat([crowd, one]).groupby("days", as_index=False).sum()
    shown = [protect_gaps(gaps, 20, 365).set_index("days")["ended"] for gaps in (crowd, both)]
    for after, until in pairwise(GAP_KNOTS):
        counts = [ended.reindex(range(after + 1, until + 1)).sum() for ended in shown]
        assert abs(counts[1] - counts[0]) in (0, 20 * -(-365 // after))


def test_gaps_up_to_the_first_knot_are_left_out() -> None:
    shown = protect_gaps(gaps_of(5_000, 2), 20, 365)
    assert shown[shown["days"] <= GAP_KNOTS[0]]["ended"].sum() == 0
    assert shown["ended"].sum() > 0


def test_a_private_lens_reads_as_any_other() -> None:
    tables = protect_definitions({"lens": lens_of(3_000, 1), "lens_exits": exits_of(3_000, 1)}, META, 20)
    meta = {
        "unit": "day",
        "leaving": "silence",
        "lapse": 30,
        "time_zone": "UTC",
        "params": {"lapse_days": 30},
    }
    found = lens(Cells("private", "retention", tables, meta), min_group=20)
    assert not found.why_empty
    assert found.table["n"].mod(20).eq(0).all()
