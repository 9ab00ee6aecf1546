"""Results of the time after a reward, of targeting and of groups as a study would give them, without one."""

import numpy as np
import pandas as pd

from outcome_results import with_bounds
from sojourn.core.results.trial_after import Afterwards, Compliance, Deadweight, Fairness, SpillOver
from sojourn.core.results.trial_targeting import POLICIES, Policies

NAMES = ("coupon", "gift")
KEPT = "are still with us 90 days after assignment"


def after(pace=(1.05, 1.6), left=(0.05, -0.04), slope=(-0.001, -0.02), *, paid=True, why=""):
    """Two schemes that keep 7 and 3 more in 100 to the end of the reward."""
    both = {
        **with_bounds("amount_during", [12.0, 4.0], 2.0), **with_bounds("amount_after", [-0.5, -3.0], 1.0),
        **with_bounds("amount_both", [11.5, 1.0], 2.5), "p_pulled": [0.8, 0.999],
    }  # fmt: skip
    table = pd.DataFrame({
        "scheme": NAMES, "n": 5_000, **with_bounds("times_during", [0.6, 0.8], 0.1),
        **with_bounds("times_after", pace, 0.2), "p_cliff": [0.6, 0.999],
        **with_bounds("lift_at_end", [0.07, 0.03], 0.02), **with_bounds("lift_after", left, 0.02),
        **with_bounds("lift_lost", np.array([0.07, 0.03]) - left, 0.02), **(both if paid else {}),
    })  # fmt: skip
    trends = pd.DataFrame({
        "scheme": NAMES, "measure": "came", "first": 0.05, "last": 0.01, **with_bounds("per_week",
        slope, 0.005),
        "p_fading": [0.7, 0.999],
    })  # fmt: skip
    grid = pd.MultiIndex.from_product([("none", *NAMES), range(13)], names=["scheme", "week"])
    weeks = grid.to_frame(index=False).assign(at_risk=2_000)
    rate = 0.03 - 0.001 * weeks["week"] + 0.004 * (weeks["scheme"] == "gift")
    weeks = weeks.assign(
        **with_bounds("leaving_rate", rate, 0.005), **with_bounds("active_lift", 0.1 * rate, 0.01),
        **(with_bounds("amount_above_control", 10 * rate, 0.2) if paid else {}),
    )  # fmt: skip
    return Afterwards("main", "none", "EUR", 56, 28, 0.95, table, trends, weeks, why_empty=why)


def waste(cost=(1.0, 3.0), cost_of_one=(20.0, np.nan), high=(38.0, np.nan)):
    """Of those kept 93 and 100 of 100 would have stayed anyway."""
    table = pd.DataFrame({
        "scheme": NAMES, "n": 2_500, "cost": cost, **with_bounds("kept_anyway_share", [0.93, 0.97], 0.03),
        **with_bounds("paid_anyway_share", [0.64, 0.99], 0.05), **with_bounds("more_kept_lift",
        [0.05, 0.0], 0.02),
        "cost_of_one": cost_of_one, "cost_of_one_low": [13.0, np.nan], "cost_of_one_high": high,
    })  # fmt: skip
    return Deadweight("main", "none", "EUR", "kept_at_90", KEPT, 0.95, table)


def brought(p_value=(0.001, 0.4), lift=(0.1, -0.02)):
    """Those brought by members of two schemes; without neighbours the lift is larger."""
    table = pd.DataFrame({
        "scheme": NAMES, "brought_members": 350, "brought_by_control_members": 360,
        **with_bounds("lift", lift, 0.05), "p_value": p_value,
    })  # fmt: skip
    ways = ("everybody", "no treated neighbour", "all or nobody")
    without = pd.DataFrame([
        {"scheme": scheme, "counted": way, "n": 4_000, "lift": 0.05 + 0.01 * i, "lift_low": 0.02,
            "lift_high": 0.09}
        for scheme in NAMES for i, way in enumerate(ways)
    ])  # fmt: skip
    return SpillOver("main", "none", KEPT, 0.95, table, without, 0.15)


def reached(why=("", "All members of gift were reached, so both effects are one.")):
    """A scheme that reaches 6 in 10 of its members, and one that reaches all."""
    table = pd.DataFrame({
        "scheme": NAMES, "n": 5_000, "reached_share": [0.6, 1.0], "reached_under_control_share": 0.0,
        **with_bounds("lift", [0.05, 0.06], 0.02), **with_bounds("lift_of_reached", [0.083, np.nan], 0.03),
        "why_not": why,
    })  # fmt: skip
    return Compliance("main", "none", "kept_at_90", KEPT, 0.95, table)


def groups(p_real=0.999, *, currency="", gap=0.07):
    """Two groupings; by channel one gains more."""
    about = {"scheme": "coupon", "groups": 2}
    table = pd.DataFrame([
        {**about, "grouping": "age_band", "most": "18-24", "least": "55+", "gap": 0.01, "gap_low": -0.02,
         "gap_high": 0.04, "p_real": 0.7},
        {**about, "grouping": "channel", "most": "search", "least": "social", "gap": gap,
            "gap_low": gap - 0.05,
         "gap_high": gap + 0.05, "p_real": p_real},
    ])  # fmt: skip
    rows = pd.DataFrame({
        "scheme": "coupon", "grouping": ["age_band"] * 2 + ["channel"] * 2,
        "group": ["18-24", "55+", "search", "social"], "members": 900, "raw_lift": [0.03, 0.0, 0.12, 0.0],
        **with_bounds("lift", [0.03, 0.02, 0.09, 0.02], 0.03), "cost": 1.5,
    })  # fmt: skip
    words = "net value per member within 90 days" if currency else KEPT
    return Fairness("main", "none", "outcome", words, currency, 0.95, 0.975, table, rows)


def choices(
    best="everyone", *, treated=0.4, above=(0, 2_500, 700, 1_200, 2_900), bands=(3.7, 2.0, 2.1), why=""
):
    """Five policies for the coupon."""
    above = np.asarray(above, float)
    table = pd.DataFrame({
        "policy": POLICIES, "treated_share": [0, 1, 0.3, 0.3, treated],
        **with_bounds("amount_per_1000", above, 1_000.0),
        **with_bounds("against_everyone_amount", above - above[1], 800.0),
    })  # fmt: skip
    thirds = pd.DataFrame({
        "band": ["highest third", "middle third", "lowest third"], "expected_amount": [3.5, 2.2, 1.8],
        **with_bounds("amount", bands, 1.0),
    })  # fmt: skip
    return Policies("main", "none", "coupon", "EUR", "net value", 90, 0.95, 0.3, 5_000, 25, 5, table, thirds,
                    best, ("plan", "age_band"), why)  # fmt: skip
