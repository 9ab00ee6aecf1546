"""A table of durations becomes cells without a case; its curves are those of the rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sojourn as sj
from sojourn.core.errors import DataError, UndefinedError


def drawn(seed: int, members: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    entry = np.where(rng.random(members) < 0.3, rng.integers(1, 40, members), 0)
    days = entry + rng.integers(1, 120, members)
    days[entry == 0] -= rng.integers(0, 2, int((entry == 0).sum()))
    return pd.DataFrame(
        {
            "days": days,
            "left": rng.random(members) < 0.6,
            "since": entry,
            "plan": rng.choice(["annual", "monthly", None], members, p=[0.4, 0.5, 0.1]),
            "stands_for": rng.choice([0.5, 1.0, 2.25], members),
        }
    )


COLUMNS = {"duration": "days", "churned": "left"}


def test_curves_are_those_of_a_peer_on_the_rows():
    from lifelines import KaplanMeierFitter

    rows = drawn(1)
    cells = sj.count_durations(rows, **COLUMNS, entry="since", by=["plan"])
    curve = sj.retention_curve(cells, by="plan", min_group=5)
    for plan in ("annual", "monthly"):
        some = rows[rows["plan"] == plan]
        # the peer puts who enters at e at risk at e already; ours, as R's (start, stop], from e + 1 on
        peer = KaplanMeierFitter().fit(
            some["days"], some["left"], entry=some["since"].where(some["since"] == 0, some["since"] + 0.5)
        )
        end = int(curve.followed_to[plan])
        ours = curve.only([plan]).at([min(30, end), end])["retained"]
        np.testing.assert_allclose(ours, peer.predict([min(30, end), end]).to_numpy(), rtol=1e-9)


def test_a_file_gives_what_the_frame_gives(tmp_path):
    rows = drawn(2)
    rows.to_parquet(tmp_path / "a.parquet")
    rows.drop(columns="plan").to_csv(tmp_path / "a.csv", index=False)
    of_frame = sj.count_durations(rows, **COLUMNS, by=["plan"], weight="stands_for")
    of_file = sj.count_durations(tmp_path / "a.parquet", **COLUMNS, by=["plan"], weight="stands_for")
    for table in ("risk", "weighted"):
        pd.testing.assert_frame_equal(of_frame.tables[table], of_file.tables[table])
    everybody = sj.count_durations(tmp_path / "a.csv", **COLUMNS)["risk"]
    risk = of_file["risk"]
    pd.testing.assert_frame_equal(everybody, risk[risk["by"] == "all"].reset_index(drop=True))


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 1_000))
def test_order_of_rows_and_splitting_change_nothing(seed):
    rows = drawn(seed, 60)
    cells = sj.count_durations(rows, **COLUMNS, entry="since", by=["plan"], weight="stands_for")
    mixed = sj.count_durations(
        rows.sample(frac=1, random_state=seed), **COLUMNS, entry="since", by=["plan"], weight="stands_for"
    )
    for table in cells.tables:
        pd.testing.assert_frame_equal(cells.tables[table], mixed.tables[table])
    risk = cells["risk"]
    for _, of in risk.groupby(["by", "group"]):
        assert of["entered"].sum() == of["churned"].sum() + of["censored"].sum()
    assert risk.loc[risk["by"] == "plan", "entered"].sum() == len(rows)
    assert cells.meta["late"] == (rows["since"] > 0).sum()


def test_nobody_known_by_group_is_unknown():
    risk = sj.count_durations(drawn(3), **COLUMNS, by=["plan"])["risk"]
    assert set(risk.loc[risk["by"] == "plan", "group"]) == {"annual", "monthly", "unknown"}


def test_weights_give_the_weighted_curve_with_a_robust_interval():
    rows = drawn(4)
    cells = sj.count_durations(rows, **COLUMNS, weight="stands_for")
    plain = sj.retention_curve(cells, min_group=5)
    weighted = sj.retention_curve(cells, min_group=5, weights="probability")
    at = int(plain.followed_to["all"]) // 2
    # by hand: product over days of 1 - sum of weights of leavers over sum of weights at risk
    share = 1.0
    for day in range(at + 1):
        risk, gone = rows["days"] >= day, (rows["days"] == day) & rows["left"]
        share *= 1 - rows.loc[gone, "stands_for"].sum() / rows.loc[risk, "stands_for"].sum()
    assert weighted.retained(at).value == pytest.approx(share, rel=1e-9)
    assert weighted.retained(at).value != pytest.approx(plain.retained(at).value, rel=1e-6)
    spread = [one.retained(at).high - one.retained(at).low for one in (plain, weighted)]
    assert spread[1] > spread[0]  # unequal weights carry less than as many members


def test_without_weights_there_is_no_weighted_curve():
    with pytest.raises(UndefinedError, match="no member stands for others"):
        sj.retention_curve(sj.count_durations(drawn(5), **COLUMNS), weights="probability")


@pytest.mark.parametrize(
    ("column", "values", "says"),
    [
        ("days", [-1, 3], r"durations\.days: no whole number from 0 in 1 of 2 rows \(for example -1"),
        ("days", [2.5, 3], r"durations\.days: no whole number from 0 in 1 of 2 rows \(for example 2\.5"),
        ("days", [None, 3], r"durations\.days: .* in 1 of 2 rows"),
        ("left", [2, 1], r"durations\.left: neither true nor false in 1 of 2 rows"),
        ("left", [None, 1], r"durations\.left: neither true nor false in 1 of 2 rows"),
        ("since", [5, 0], r"durations\.since: no whole number before the end in 1 of 2 rows"),
        ("stands_for", [0.0, 1.0], r"durations\.stands_for: not above 0 in 1 of 2 rows"),
        ("stands_for", [None, 1.0], r"durations\.stands_for: not above 0 in 1 of 2 rows"),
    ],
)
def test_what_is_no_duration_is_named_with_its_rows(column, values, says):
    rows = pd.DataFrame({"days": [4, 5], "left": [1, 0], "since": [0, 0], "stands_for": [1.0, 1.0]})
    rows[column] = values
    with pytest.raises(DataError, match=says):
        sj.count_durations(rows, **COLUMNS, entry="since", weight="stands_for")


def test_a_column_or_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match="Did you mean 'days'"):
        sj.count_durations(drawn(6), duration="day", churned="left")
    with pytest.raises(DataError, match="There is no file"):
        sj.count_durations(tmp_path / "none.parquet", **COLUMNS)


def test_studies_that_need_more_say_so():
    cells = sj.count_durations(drawn(7), **COLUMNS, by=["plan"])
    for result in (sj.with_us(cells), sj.drivers(cells, horizon=30), sj.cohort_triangle(cells)):
        assert result.why_empty
    assert sj.logrank(cells, by="plan").df == 2
    assert sj.risk_peak(cells).why_empty == "" or sj.risk_peak(cells).events < 500
