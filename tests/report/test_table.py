"""Tables as people read them."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.core.columns import as_data
from sojourn.report.table import View, lay_out, plain


def laid(bold: str = "", **columns: object) -> View:
    return lay_out(as_data(pd.DataFrame(columns)), bold=bold)


@pytest.mark.parametrize(
    ("columns", "head", "cell"),
    [
        ({"n": [2357]}, "Members", "2,357"),
        ({"retained": [0.3614]}, "Still there, %", "36.1"),
        ({"visit_rate": [0.00573]}, "Visit rate, %", "0.57"),
        ({"lift": [0.0214]}, "Difference from control, in 100", "+2.1"),
        ({"lift": [-0.004]}, "Difference from control, in 100", "−0.40"),
        ({"p_best": [0.93]}, "Chance of best, %", "93.0"),
        ({"p_best": [0.99996]}, "Chance of best, %", ">99.9"),
        ({"p_best": [0.0005]}, "Chance of best, %", "<0.1"),
        ({"p_best": [0.9995]}, "Chance of best, %", ">99.9"),
        ({"p_best": [0.0]}, "Chance of best, %", "<0.1"),
        ({"p_value": [0.0087]}, "P-value", "0.0087"),
        ({"p_value": [0.00001]}, "P-value", "<0.0001"),
        ({"rel_lift": [0.125]}, "Relative lift, %", "+12.5"),
        ({"net_value": [1234.5]}, "Net value", "1,234.50"),
        ({"median_days": [35]}, "Median, days", "35.0"),
        ({"duration_days": [1206]}, "Duration, days", "1206"),
        ({"duration_months": [12]}, "Duration, months", "12"),
        ({"off_in_100": [0.74]}, "Off, in 100", "0.740"),
        ({"gap_points": [0.03]}, "Gap, in 100", "+3.0"),
        ({"loyalty_points": [250.5]}, "Loyalty points", "250.5"),
        ({"cohort_year": [1997]}, "Cohort year", "1997"),
        ({"silhouette": [0.41236]}, "Silhouette", "0.412"),
        ({"score": [12345.6]}, "Score", "12,346"),
        ({"active_share": [0.5]}, "Active, %", "50.0"),
        ({"leave_90_share": [0.5]}, "Leave in 90 days, %", "50.0"),
        ({"share": [0.5]}, "Share, %", "50.0"),
        ({"cramers_v": [0.07]}, "Cramér's V", "0.070"),
        ({"n_followed": [567]}, "Members followed", "567"),
        ({"rand": [0.94]}, "Two resamples agree", "0.940"),
        ({"scheme": ["coupon"]}, "Scheme", "coupon"),
        ({"retained": [np.nan]}, "Still there, %", "–"),
    ],
)
def test_header_and_cell_follow_the_name(columns: dict[str, object], head: str, cell: str) -> None:
    view = laid(**columns)
    assert [h.text for h in view.heads] == [head]
    assert view.rows == [[cell]]


def test_bounds_stand_beside_their_value() -> None:
    view = laid(lift=[0.021, None], lift_high=[0.038, None], lift_low=[-0.004, None], n=[5, 6])
    assert [h.text for h in view.heads] == ["Difference from control, in 100", "Members"]
    assert view.rows == [["+2.1 (−0.4 to 3.8)", "5"], ["–", "6"]]


def test_bare_bounds_belong_to_the_number_before_them() -> None:
    view = laid(group=["a"], retained=[0.5], low=[0.4], high=[0.6])
    assert view.rows == [["a", "50.0 (40.0 to 60.0)"]]


def test_bounds_without_a_value_stay_columns_of_their_own() -> None:
    view = laid(scheme=["a"], low=[1.5], high=[2.5])
    assert view.rows == [["a", "1.50", "2.50"]]


def test_the_column_that_matters_stands_right_after_the_names_of_the_rows() -> None:
    long = "a sentence of more than thirty letters"
    view = laid("lift", arm=["a"], outcome=["stay"], what=[long], n=[3], lift=[0.1], z=["end"])
    assert [h.text for h in view.heads][:4] == ["Arm", "Outcome", "Difference from control, in 100", "What"]
    assert view.rows == [["a", "stay", "+10.0", long, "3", "end"]]
    by_day = laid("kept", plan=["annual"], duration=[30], n=[9], kept=[0.5])
    assert by_day.rows == [["annual", "30", "50.0", "9"]]
    assert [h.long for h in view.heads] == ["", "", "", "long", "", ""]


def test_a_share_lies_on_a_scale_from_0_to_100_and_not_between_its_own_ends() -> None:
    view = laid("retained", retained=[0.8, 0.9], retained_low=[0.79, 0.89], retained_high=[0.81, 0.91])
    # 90 of 96 px from 3
    assert [re.findall(r'circle cx="([\d.]+)"', row[0]) for row in view.rows] == [["75.0"], ["84.0"]]


def test_a_lone_bound_is_a_column_of_its_own() -> None:
    view = laid(k=[2], depth=[0.4], null_depth=[0.1], null_depth_high=[0.3])
    assert [h.text for h in view.heads][2:] == ["Depth without structure", "Depth without structure, at most"]
    assert view.rows == [["2", "0.400", "0.100", "0.300"]]


def test_sentences_are_told_from_names() -> None:
    view = laid(who=["a"], called=["c" * 17], why=["w" * 31], said=["s" * 61])
    assert [h.long for h in view.heads] == ["", "name", "long", "sentence"]


def test_amounts_have_their_currency_where_it_is_known() -> None:
    frame = pd.DataFrame({"segment": ["a"], "spend": [2.0], "net_value": [3.0], "sessions": [1.5]})
    heads = [h.text for h in lay_out(as_data(frame, "EUR")).heads]
    assert heads == ["Segment", "Spend, EUR", "Net value, EUR", "Sessions"]
    assert [h.text for h in lay_out(as_data(frame)).heads][1] == "Spend"
    assert "currency" not in as_data(frame[["segment"]], "EUR")


def test_numbers_are_aligned_right_and_text_is_not() -> None:
    assert [h.numeric for h in laid(scheme=["a"], n=[1]).heads] == [False, True]


def test_the_bold_column_is_drawn_too_in_short_tables_only() -> None:
    short = laid("lift", lift=[0.02], lift_low=[0.01], lift_high=[0.03])
    long = laid("lift", lift=[0.02] * 13, lift_low=[0.01] * 13, lift_high=[0.03] * 13)
    assert "<svg" in short.rows[0][0]
    assert "<svg" not in long.rows[0][0]


def test_a_bar_lies_on_the_scale_of_its_column_and_zero_is_marked() -> None:
    view = laid("lift", lift=[0.02, -0.02], lift_low=[0.01, -0.03], lift_high=[0.03, -0.01])
    dots = [float(found) for row in view.rows for found in re.findall(r'circle cx="([\d.]+)"', row[0])]
    zeros = {found for row in view.rows for found in re.findall(r'"M([\d.]+) 2v20"', row[0])}
    # -0.03 … 0.03 over 90 of 96 px from 3: 0.02 at 3 + 90 * 5/6, -0.02 at 3 + 90 * 1/6
    assert dots == [78.0, 18.0]
    assert zeros == {"48.0"}


@settings(deadline=None)
@given(st.integers(1, 2_000), st.integers(1, 60))
def test_a_long_table_is_shown_at_even_steps_and_says_how_much_is_left_out(rows: int, most: int) -> None:
    view = lay_out({"columns": [["duration", "whole"]], "rows": [[i] for i in range(rows)]}, most=most)
    shown = [int(row[0]) for row in view.rows]
    assert len(shown) <= most
    assert shown[0] == 0
    steps = set(np.diff(shown).tolist())
    assert len(steps) <= 1
    assert rows - shown[-1] <= max(steps, default=rows)
    assert len(shown) + view.left_out == rows


def test_an_empty_table_has_its_header() -> None:
    view = laid(scheme=pd.Series([], dtype=str), n=pd.Series([], dtype=int))
    assert len(view.heads) == 2
    assert view.rows == []


def test_plain_text_is_aligned_and_has_no_markup() -> None:
    view = laid("lift", scheme=["coupon", "no"], lift=[0.02, 0.01], lift_low=[0.0, 0.0], lift_high=[0.1, 0.1])
    assert plain(view).splitlines() == [
        "Scheme  Difference from control, in 100",
        "coupon               +2.0 (0.0 to 10.0)",
        "no                   +1.0 (0.0 to 10.0)",
    ]
