"""What could be wrong with what goes with staying."""

from __future__ import annotations

from scipy.stats import norm

from sojourn.core.results.check import Check
from sojourn.core.results.retention_drivers import Drivers, ProportionalHazards
from sojourn.core.text import listing, number

#: Measured by ``calibration/drivers.py`` ("proportional hazards"): share of faults found, of false alarms.
RATES = (0.898, 0.008)
RATES_FROM = (
    "500 worlds of 4,000 members each; found: a hazard ratio of one half that ends on day 30; false alarms: "
    "no effect changes"
)
#: Standard errors between estimate and truth above which a simulated world contradicts the estimate.
TRUTH_REACH = 3.5


def check_drivers(result: Drivers) -> list[Check]:
    """Return whether one hazard ratio for all time would mislead, and whether a simulated world agrees.

    Parameters
    ----------
    result : Drivers
        Where it is empty there is nothing to check.
    """
    if result.why_empty:
        return []
    return [_constant(result.proportional), *_agrees(result)]


def _constant(result: ProportionalHazards) -> Check:
    name = "What goes with staying does so at all times"
    changing = [column.replace("_", " ") for column in result.changing]
    p = float(result.table["p_value"].iloc[0])
    chance = "p < 0.001" if p < 0.001 else f"p = {number(p, 3)}"
    if not changing:
        finding = f"No column's effect is seen to change with time (smallest {chance}, score test)."
        meaning = (
            "No change is sure enough to give differences period by period; those in members take one effect "
            "per level for all time."
        )
        return Check(name, "pass", finding, meaning, *RATES, RATES_FROM)
    finding = f"The effects of {listing(changing)} change with time ({chance}, score test)."
    meaning = "They are given period by period; the differences in members allow for it."
    return Check(name, "warn", finding, meaning, *RATES, RATES_FROM)


def _agrees(result: Drivers) -> list[Check]:
    """Return the check against the truth of a simulated world, where it is known."""
    if "true_points" not in result.table:
        return []
    rows = result.table[result.table[["true_points", "difference_points_high"]].notna().all(axis=1)]
    if rows.empty:
        return []
    z = float(norm.isf((1 - result.mass) / 2 / len(result.table)))
    se = (rows["difference_points_high"] - rows["difference_points"]) / z
    off = ((rows["difference_points"] - rows["true_points"]) / se).abs()
    worst = float(off.max())
    agrees = worst <= TRUTH_REACH
    finding = (
        f"In {len(rows)} standardised differences the estimate is at most {number(worst)} standard errors "
        "from the truth of the simulated world."
    )
    right = "The method recovers what is so."
    wrong = "The method misses what is so: do not use these differences."
    meaning = right if agrees else wrong
    return [Check("Differences agree with the truth", "pass" if agrees else "fail", finding, meaning)]
