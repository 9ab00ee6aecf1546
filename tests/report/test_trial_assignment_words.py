"""Words, tables and pictures of how members came to their schemes."""

import numpy as np
import pandas as pd
import pytest

from sojourn.core.errors import UndefinedError
from sojourn.core.results.trial_assignment import (
    Balance,
    Clustered,
    Mismatch,
    MissingOutcomes,
    Overlaps,
    SplitByDay,
)
from sojourn.report.say import say
from sojourn.report.trial_assignment import clustered_frame, missing_frame, overlaps_frame
from sojourn.showing import show
from sojourn.viz.trial_assignment import plot_balance, plot_split_by_day


def split_by_day(p_values, alarm_day=None):
    days = len(p_values)
    table = pd.DataFrame(
        {
            "day": range(days),
            "assigned": [200 * (day + 1) for day in range(days)],
            "p_value": p_values,
            "scheme": "gift",
            "share": 0.53,
            "planned_share": 0.5,
        }
    )
    return SplitByDay(table, p_values[-1], alarm_day)


def balance(p_value, difference=0.04):
    low, high = difference - 0.03, difference + 0.03
    row = ("paid_before", "gift", 900, 12.0, 11.0, difference, low, high)
    names = ["covariate", "scheme", "n", "mean", "mean_control"]
    table = pd.DataFrame([row], columns=[*names, "difference", "difference_low", "difference_high"])
    return Balance(table, 0.95, p_value)


def mismatch(p_value):
    row = ("channel", "push", 500, "none", 0.61, 0.5, p_value / 9, p_value)
    names = ["column", "level", "assigned", "scheme", "share", "share_elsewhere", "p_value", "p_adjusted"]
    return Mismatch(pd.DataFrame([row], columns=names), p_value)


def missing(p_value, share=0.1):
    rows = [
        ("kept_at_90", "none", 1000, 1000, 0.0, p_value, np.nan, np.nan, np.nan),
        ("kept_at_90", "gift", 1000, 900, share, p_value, 0.04, -0.05, 0.05),
    ]
    names = [
        "outcome",
        "scheme",
        "assigned",
        "known",
        "missing_share",
        "p_unequal",
        "lift",
        "worst_low",
        "worst_high",
    ]
    return MissingOutcomes(pd.DataFrame(rows, columns=names), p_value)


def overlaps(together, interaction):
    row = ("side", 900, together, interaction, 0.07)
    names = ["trial", "members", "p_together", "p_interaction", "largest"]
    return Overlaps(pd.DataFrame([row], columns=names), "kept_at_90")


def clustered():
    rows = [(o, "gift", 80, 5000, x, x - 2 * x, x + 2 * x, 0.0, 2 * x, d, 0.001)
            for o, x, d in (("kept_at_90", 0.02, 4.0), ("revenue", 1.5, 1.2))]  # fmt: skip
    names = [
        "outcome",
        "scheme",
        "clusters",
        "n",
        "lift",
        "lift_low",
        "lift_high",
        "narrow_low",
        "narrow_high",
    ]
    return Clustered(pd.DataFrame(rows, columns=[*names, "design_effect", "p_value"]), 0.95, ("kept_at_90",))


SAID = [
    (split_by_day([1.0, 0.4]), "raised no alarm: gift has 53.00 % of 400 members where 50.00 %"),
    (split_by_day([0.9, 0.004], 1), "The division was surely wrong from day 1 on: gift has"),
    (balance(0.3), "alike before they began: the largest difference, paid before under gift, is +0.040"),
    (balance(0.001), "Schemes differed before they began"),
    (mismatch(0.2), "No group was divided in a way of its own; the most unlike is channel push: 61.0 %"),
    (mismatch(0.0001), "Members with channel push were divided unlike all others"),
    (missing(0.2), "Up to 10.0 % of a scheme's outcomes cannot be known, equally, as far as can be told."),
    (missing(0.0001), "unequally. Whatever they were, the lift of gift lies between −5.0 and +5.0"),
    (missing(1.0, 0.0), "Every outcome is known."),
    (overlaps(0.5, 0.6), "The one other trial at the same time is not in the way."),
    (overlaps(0.5, 0.001), "Other trials are in the way: the lift depends on side."),
    (overlaps(0.001, 0.5), "Other trials are in the way: members were not divided independently of side."),
    (clustered(), "80 units were assigned as a whole: counted by unit, the interval of kept at 90 is 2.0"),
]  # fmt: skip


@pytest.mark.parametrize(("result", "words"), SAID, ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_said(result, words) -> None:
    assert words in say(result)


@pytest.mark.parametrize("result", [result for result, _ in SAID], ids=lambda r: repr(r)[:60])
def test_every_result_is_shown(result) -> None:
    block = show(result, name="shown")
    assert block.kind in ("table", "picture")


@pytest.mark.parametrize("kind", [SplitByDay, Balance, Mismatch, MissingOutcomes, Overlaps, Clustered])
def test_nothing_to_say_is_one_sentence(kind) -> None:
    result = kind(why_empty="There is nothing here.")
    assert say(result) == "There is nothing here."
    assert "There is nothing here." in str(show(result, name="none"))


def test_shares_are_shown_in_members_in_100_and_values_in_currency() -> None:
    frame = clustered_frame(clustered())
    assert frame["difference"].tolist() == pytest.approx([2.0, 1.5])


def test_worst_cases_stand_as_bounds_of_the_lift() -> None:
    row = missing_frame(missing(0.2)).iloc[1]
    assert (row["lift_low"], row["lift"], row["lift_high"]) == (-0.05, 0.04, 0.05)


def test_both_questions_are_asked_of_every_trial() -> None:
    frame = overlaps_frame(overlaps(0.5, 0.001))
    assert frame["p_value"].tolist() == [0.001, 0.5]
    assert frame["lifts_apart_points"].iloc[0] == 0.07


def test_the_picture_of_the_split_has_a_step_where_the_p_value_falls() -> None:
    ax = plot_split_by_day(split_by_day([1.0, 1.0, 0.1, 0.1, 0.005, 0.005], 4))
    x, y = ax.lines[0].get_xdata(), ax.lines[0].get_ydata()
    assert list(x) == [0, 2, 4, 5]
    assert list(y) == pytest.approx([0, -1, np.log10(0.005), np.log10(0.005)])


def test_the_picture_of_balance_marks_what_is_sure() -> None:
    markers = [
        line.get_marker() for line in plot_balance(balance(0.001, 0.2)).lines if line.get_marker() != "None"
    ]
    assert markers == ["o"]
    sound = [
        line.get_marker() for line in plot_balance(balance(0.5, 0.01)).lines if line.get_marker() != "None"
    ]
    assert sound == ["s"]


@pytest.mark.parametrize("plot", [plot_split_by_day, plot_balance])
def test_nothing_is_drawn_of_nothing(plot) -> None:
    empty = SplitByDay(why_empty="None.") if plot is plot_split_by_day else Balance(why_empty="None.")
    with pytest.raises(UndefinedError, match=r"There is nothing to draw\. None\."):
        plot(empty)
