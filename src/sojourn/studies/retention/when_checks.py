"""What could be wrong with when members leave: a peak by accident, and months unlike the others."""

from __future__ import annotations

from sojourn.core.results.check import Check, Verdict
from sojourn.core.results.retention_when import CohortEffects, RiskPeak
from sojourn.core.text import chances, count, listing, plural
from sojourn.estimators.survival.peak import SURE

#: Measured by ``calibration/when.py``: leavers, and how often a peak twice as high as the rest is claimed.
CLAIMED = ((20_000, 0.99), (2_000, 0.97), (500, 0.73))
#: The same: share of level and falling rates with 2,000 leavers in which a peak is claimed.
FALSE_PEAKS = 0.015
#: Chance of claiming it below which finding no peak says little.
_SEEN = 0.9
#: Measured by ``calibration/when.py``: share of months at 1.6 times the pace that are found and named, and
#: share of worlds in which a month stands apart though all are alike.
APART_RATES = (0.99, 0.02)


def check_when(result: RiskPeak) -> list[Check]:
    """Return the check whether a peak would have been found, or is an accident; none without a curve."""
    if result.why_empty:
        return []
    least, caught = next((rate for rate in CLAIMED if result.events >= rate[0]), (CLAIMED[-1][0], None))
    verdict, meaning = _judged(result, caught)
    finding = (
        f"{chances(result.sure)} curves that the counts of {plural(result.events, 'leaver')} allow have a "
        "peak inside."
    )
    source = (
        f"found: {count(least)} leavers, a peak twice as high as the rest; false alarms: level and falling "
        "rates, 2,000 leavers"
    )
    finding = f"{finding[0].upper()}{finding[1:]}"
    return [Check("The time of fastest leaving", verdict, finding, meaning, caught, FALSE_PEAKS, source)]


def _judged(result: RiskPeak, caught: float | None) -> tuple[Verdict, str]:
    if result.peak is not None:
        return "pass", "The peak is no accident of the counts."
    if result.shape in ("falling", "rising") and result.sure < 1 - SURE:
        return "pass", "No sure peak on the way."
    if caught is not None and caught >= _SEEN:
        return "pass", "A peak twice as high as the rest would have been seen."
    return "warn", "With so few leavers even a peak twice as high as the rest may go unseen."


def check_cohorts(result: CohortEffects) -> list[Check]:
    """Return the check whether a month of joining or of the calendar stands apart; none without a result."""
    if result.why_empty:
        return []
    apart = [
        f"{what} {month}" for what in ("calendar month", "joined in") for month in result.named(what)["month"]
    ]
    verdict: Verdict = "warn" if apart else "pass"
    source = "10,000 members who join over 18 months; found: one month at 1.6 times the pace"
    if apart:
        finding = f"At an unusual pace: {listing(apart)}."
        meaning = "The curve mixes usual and unusual months; what comes next need not hold another."
    else:
        finding = f"None of {len(result.table)} months of joining and of the calendar stands apart."
        meaning = "One curve can stand for all of them."
    name = "No month is unlike the others"
    return [Check(name, verdict, finding, meaning, APART_RATES[0], APART_RATES[1], source)]
