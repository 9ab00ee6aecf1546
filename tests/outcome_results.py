"""Results of staying, coming, ratios and guardrails as a study would give them, without one."""

import numpy as np
import pandas as pd

from sojourn.core.results.trial_outcomes import CountedActivity, Guardrails, Lasting, RatioResult, Trend

SCHEMES = ("none", "welcome_coupon", "daily_tasks")


def with_bounds(name, values, reach):
    """Return a column with its bounds; what is missing has none."""
    values = np.asarray(values, dtype=float)
    return {name: values, f"{name}_low": values - reach, f"{name}_high": values + reach}


def staying(more=(np.nan, 3.8, -0.4), *, censored=0, horizon=90, truth=None, late=None, why=""):
    """Members under three schemes who stay 74 days, and so many days more."""
    more = np.asarray(more, dtype=float)
    table = pd.DataFrame({
        "scheme": SCHEMES, "n": 2_500, "churned": 700, "censored": censored, "at_risk": 1_700,
        **with_bounds("kept_share", 0.7 + np.nan_to_num(more) / 100, 0.018),
        **with_bounds("lift", more / 100, 0.025), **with_bounds("days", 74 + np.nan_to_num(more), 1.1),
        **with_bounds("more_days", more, 1.5), "p_longer": [np.nan, 0.99, 0.4],
    })  # fmt: skip
    day = np.arange(horizon + 1)
    curves = pd.concat([
        pd.DataFrame({"scheme": scheme, "day": day, "at_risk": 2_500 - 8 * day, "churned": 8,
                      **with_bounds("kept_share", 1 - 0.0033 * day + lift * day / 9_000, 0.01),
                      **with_bounds("lift", lift * day / 9_000 if scheme != "none" else day * np.nan, 0.01)})
        for scheme, lift in zip(SCHEMES, np.nan_to_num(more), strict=True)
    ], ignore_index=True)  # fmt: skip
    late = late or Trend(0.4, 900.0, 6)
    return Lasting("main", "none", horizon, 0.95, 0.5, 1.0, ("annual", "monthly"), 6, table, curves,
                   truth=truth or {}, late=late, why_empty=why)  # fmt: skip


def coming(more=(np.nan, 0.5, -0.2), *, law="none", p_fit=0.0):
    """Members under three schemes who come on 10.5 days, and so many more."""
    more = np.asarray(more, dtype=float)
    table = pd.DataFrame({
        "scheme": SCHEMES, "n": 2_400, **with_bounds("mean", 10.5 + np.nan_to_num(more), 0.4),
        **with_bounds("more", more, 0.45), **with_bounds("times", 1 + more / 10.5, 0.04),
        "p_more": [np.nan, 0.98, 0.2],
    })  # fmt: skip
    count = np.arange(61)
    seen = np.round(400 * 0.85**count).astype(int)
    histogram = pd.concat([
        pd.DataFrame({"scheme": scheme, "count": count, "n": seen + i, "expected": seen * 0.9 + i})
        for i, scheme in enumerate(SCHEMES)
    ], ignore_index=True)  # fmt: skip
    return CountedActivity("main", "none", 90, 0.95, law, p_fit, table, table, histogram)


def spending(more=(np.nan, 1.03, -0.08), *, bottom_se=0.19):
    """Revenue per day of 3.3 under control."""
    more = np.asarray(more, dtype=float)
    table = pd.DataFrame({
        "scheme": SCHEMES, "n": 2_400, "top": 35.0, "bottom": 10.5, "bottom_se": bottom_se,
        **with_bounds("ratio", 3.3 + np.nan_to_num(more), 0.2), **with_bounds("more", more, 0.3),
        **with_bounds("times", 1 + more / 3.3, 0.1), "p_more": [np.nan, 1.0, 0.3],
    })  # fmt: skip
    return RatioResult("main", "none", "revenue_per_active_day", "revenue per active day", 90, 0.95, table)


def guarded(p_harm=(0.62, 0.02)):
    """One guarded outcome with the chances of harm of two schemes."""
    table = pd.DataFrame({
        "outcome": "opted_out", "words": "refused messages", "bad": "more", "scheme": SCHEMES[1:],
        **with_bounds("lift", [0.012, -0.001], 0.013), "margin_share": 0.01, "p_harm": p_harm,
        "verdict": ["broken" if p > 0.05 else "held" for p in p_harm],
    })  # fmt: skip
    return Guardrails("none", 0.95, 0.05, table)
