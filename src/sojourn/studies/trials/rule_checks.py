"""Whether a rule keeps its promise, as a check."""

from __future__ import annotations

from sojourn.core.ranges import in_range
from sojourn.core.results.check import Check, Verdict
from sojourn.core.results.trial_rule import ErrorRateCard
from sojourn.core.text import percent, plural

#: A rule is wrong too often when it is by so many times what is allowed.
_FAR = 2.0
#: A trial is large enough when what is worth having ships in so many.
_OFTEN = 0.5
#: Of the check of wrong ships, as `calibration/rule.py` finds them.
_CATCHES, _FALSE_ALARMS = 1.0, 0.05


def check_rule(rates: ErrorRateCard, *, allowed: float) -> list[Check]:
    """Check how often the plan's rule would ship what is not worth it, and whether it would find what is.

    Parameters
    ----------
    rates : ErrorRateCard
        Of the plan.
    allowed : float
        Wrong ships that are allowed in the least favourable world, as a share of trials, in (0, 1); decisions
        of one family share it equally.

    Returns
    -------
    list of Check
        Wrong ships: a warning above what is allowed, a failure above twice that, each beyond the error of the
        simulation (95 %). Finds: a warning when a scheme that is worth having ships in fewer than half of
        trials.
    """
    in_range(allowed, "allowed", gt=0, lt=1)
    return [_wrong(rates, allowed / rates.family), _found(rates)]


def _wrong(rates: ErrorRateCard, allowed: float) -> Check:
    row = rates.at(rates.planned_looks)
    surely = float(row["wrong_rate_low"])
    verdict: Verdict = "fail" if surely > _FAR * allowed else "warn" if surely > allowed else "pass"
    vetoed = f", {percent(row['vetoed_rate'])} with vetoes" if "vetoed_rate" in row else ""
    meaning = {
        "pass": "The rule keeps what was promised, whatever the schemes do.",
        "warn": "The rule ships more often than promised what is worth nothing: raise the threshold.",
        "fail": "The rule is far too easily fooled: a ship by it means little. Raise the threshold.",
    }
    return Check(
        "The rule is seldom wrong",
        verdict,
        f"{percent(row['wrong_rate'])} of trials ship wrongly in the least favourable world with "
        f"{plural(rates.planned_looks, 'look')} ({percent(allowed)} allowed{vetoed}).",
        meaning[verdict],
        catch_rate=_CATCHES,
        false_alarm_rate=_FALSE_ALARMS,
        rates_from="two schemes and four looks: a threshold of .95, and one that just keeps what is promised",
    )


def _found(rates: ErrorRateCard) -> Check:
    row = rates.at(rates.planned_looks)
    found, free = float(row["found_rate"]), float(row["unvetoed_rate"])
    enough, held_back = found >= _OFTEN, free >= _OFTEN
    without = f"; without vetoes in {percent(free)}" if free - found > 0.005 else ""
    missed = "That nothing ships says little: what is worth having would mostly be missed"
    return Check(
        "The trial is large enough",
        "pass" if enough else "warn",
        f"A scheme worth having would ship in {percent(found)} of trials of this size{without}.",
        "What is worth having would mostly be found."
        if enough
        else f"{missed}, because too few members show that a guard holds."
        if held_back
        else f"{missed}.",
    )
