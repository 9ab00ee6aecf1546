"""What could be wrong beside and after a scheme; measured rates stand in `calibration/targeting.py`."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

from sojourn.core.results.check import Check, Verdict
from sojourn.core.results.trial_after import Afterwards, Compliance, Fairness, SpillOver
from sojourn.core.results.trial_targeting import EVERYONE, NO_ONE, UNDECIDED, Policies
from sojourn.core.results.trials import Trial, plain_scheme
from sojourn.core.text import count, number, percent
from sojourn.studies.trials.split import FAIL, WARN, check_split

#: A cliff is told above this probability; one whose catch rate is told: leaving so many times as fast.
CLIFF_SURE, CLIFF = 0.975, 1.5
#: A fall in payments after the reward whose catch rate is told, as a share of what is gained while it runs.
PULLED = 0.5
#: A spill-over whose catch rate is told, in shares of those brought.
SPILLED = 0.1
#: Share of control's members that a scheme may reach; share of its own that it should.
STRAY, REACHED = 0.01, 0.5
#: Planted faults of which rates are measured (calibration/targeting.py).
GAP_PLANTED = "one group in three gains 13 in 100 more, 4,000 members of each scheme"
TARGET_PLANTED = (
    "the scheme doubles what members are worth, 1 to 28, and costs 10; 4,000 members of each scheme"
)
#: What was measured.
GAP_RATES: dict[str, Any] = {
    "catch_rate": 1.0,
    "false_alarm_rate": 0.017,
    "rates_from": f"40 worlds in which {GAP_PLANTED}; 60 in which all groups gain alike",
}
TARGET_RATES: dict[str, Any] = {
    "catch_rate": 0.913,
    "false_alarm_rate": 0.003,
    "rates_from": f"80 worlds in which {TARGET_PLANTED}; 400 in which all gain alike",
}


def check_afterwards(result: Afterwards, scheme: str) -> list[Check]:
    """Look for a scheme whose effect ends, or turns, with its reward.

    Parameters
    ----------
    result : Afterwards
        Nothing is checked of an empty one.
    scheme : str
        The scheme that may be recommended.
    """
    if result.why_empty:
        return []
    return [_cliff(result, scheme), *([_pulled(result, scheme)] if result.paid else [])]


def _cliff(result: Afterwards, scheme: str) -> Check:
    row, pace = result.row(scheme), result.read(scheme, "times_after")
    left = result.read(scheme, "lift_after").scaled(100)
    steep, turned = bool(row["p_cliff"] > CLIFF_SURE), left.high < 0
    verdict: Verdict = "fail" if turned else "warn" if steep else "pass"
    meaning = {
        "pass": "No sign that the end of the reward drives members away.",
        "warn": "Members leave faster once the reward has ended: judge the scheme by what is left then.",
        "fail": "After the wash-out fewer members are left than without the scheme.",
    }
    return Check(
        "No cliff when the reward ends",
        verdict,
        f"In the {result.wash_out_days} days after it, those still there leave {number(pace.value, 2)} times "
        f"as fast as under {plain_scheme(result.control)} ({number(pace.low, 2)} to {number(pace.high, 2)}); "
        f"of all, {number(left.value, signed=True)} in 100 are left.",
        meaning[verdict],
        catch_rate=_power(math.log(CLIFF), _error(math.log(pace.low), math.log(pace.high), result.mass)),
        false_alarm_rate=1 - CLIFF_SURE,
        rates_from=f"leaving {CLIFF:g} times as fast after the reward; the power at this size",
    )


def _pulled(result: Afterwards, scheme: str) -> Check:
    row, after, both = (
        result.row(scheme), result.read(scheme, "amount_after"), result.read(scheme, "amount_both"),
    )  # fmt: skip
    fall = PULLED * max(result.read(scheme, "amount_during").value, 0.0)
    found = bool(row["p_pulled"] > CLIFF_SURE)
    return Check(
        "Payments are not only pulled forward",
        "warn" if found else "pass",
        f"After the reward members pay {number(after.value, 2, signed=True)} {result.currency}".rstrip()
        + f" ({number(after.low, 2)} to {number(after.high, 2)}) against control, "
        f"{number(both.value, 2, signed=True)} over both times together.",
        "Some of what is paid while the reward runs is missing later: count both together."
        if found
        else "No sign that members only paid sooner.",
        catch_rate=_power(fall, _error(after.low, after.high, result.mass)) if fall else None,
        false_alarm_rate=1 - CLIFF_SURE,
        rates_from=f"{percent(PULLED, 0)} of what was gained while the reward ran is missing later"
        if fall
        else "nothing was gained while the reward ran, so nothing could be missing later",
    )


def _error(low: float, high: float, mass: float) -> float:
    return (high - low) / (2 * NormalDist().inv_cdf((1 + mass) / 2))


def _power(effect: float, error: float, level: float = 1 - CLIFF_SURE) -> float:
    """Return the chance that a one-sided test at a level finds an effect."""
    normal = NormalDist()
    return normal.cdf(effect / error - normal.inv_cdf(1 - level))


def check_spill_over(result: SpillOver, scheme: str) -> list[Check]:
    """Look for a scheme that reaches members of control through those who brought them.

    Parameters
    ----------
    result : SpillOver
        Nothing is checked of an empty one.
    scheme : str
        The scheme that may be recommended.
    """
    if result.why_empty:
        return []
    row, lift = result.row(scheme), result.read(scheme).scaled(100)
    found = bool(row["p_value"] < WARN)
    error = _error(lift.low, lift.high, result.mass) / 100
    return [
        Check(
            "Control is not reached through neighbours",
            "warn" if found else "pass",
            f"Of {count(row['brought_members'])} members brought by one under {plain_scheme(scheme)}, "
            f"{number(abs(lift.value))} in 100 {'more' if lift.value >= 0 else 'fewer'} stay than of those "
            f"brought under {plain_scheme(result.control)} "
            f"({number(lift.low)} to {number(lift.high)}); p = {row['p_value']:.4f}.",
            "The scheme reaches members of control too: its lift is told too small or too large."
            if found
            else "No sign that the scheme reaches others through those whom its members brought.",
            catch_rate=_power(SPILLED, error, WARN / 2),
            false_alarm_rate=WARN,
            rates_from=f"{number(100 * SPILLED, 0)} in 100 of those brought stay or leave because of it; the "
            "power at this size",
        )
    ]


def check_compliance(result: Compliance, scheme: str) -> list[Check]:
    """Look for members whom a scheme did not reach, and for members of control whom it did.

    Parameters
    ----------
    result : Compliance
        Nothing is checked of an empty one.
    scheme : str
        The scheme that may be recommended.
    """
    if result.why_empty:
        return []
    row = result.row(scheme)
    own, stray = float(row["reached_share"]), float(row["reached_under_control_share"])
    bad = stray > STRAY
    return [
        Check(
            "The scheme reached its members, and no others",
            "fail" if bad else "pass" if own >= REACHED else "warn",
            f"Something of {plain_scheme(scheme)} was booked for {percent(own)} of its members and for "
            f"{percent(stray)} of control's.",
            "Control had the scheme too, so its effect is told too small."
            if bad
            else "The lift is that of assigning the scheme, as it would be rolled out."
            if own >= REACHED
            else "The lift is that of assigning the scheme; most members were not reached by it.",
        )
    ]


def check_fairness(result: Fairness, scheme: str) -> list[Check]:
    """Look for groups that do not gain alike from a scheme.

    Parameters
    ----------
    result : Fairness
        Nothing is checked of an empty one.
    scheme : str
        The scheme that may be recommended.
    """
    own = result.table[result.table["scheme"] == scheme] if len(result.table) else result.table
    if own.empty:
        return []
    row = own.sort_values(["p_real", "grouping"], ascending=[False, True]).iloc[0]
    gap, real = result.read_gap(row), bool(row["p_real"] > result.sure)
    shown, unit = (gap, result.currency) if result.currency else (gap.scaled(100), "in 100")
    return [
        Check(
            "Groups gain alike",
            "warn" if real else "pass",
            f"Largest gap, by {str(row['grouping']).replace('_', ' ')}: {row['most']} over {row['least']} by "
            f"{number(shown.value)} {unit} ({number(shown.low)} to {number(shown.high)}); real with a "
            f"probability of {percent(min(row['p_real'], 0.999))}.",
            "The scheme serves some members better than others: decide whether that is wanted."
            if real
            else "No group surely gains more than another.",
            **GAP_RATES,
        )
    ]


def check_policies(result: Policies, trial: Trial) -> list[Check]:
    """Look for what would make the comparison of policies wrong.

    Parameters
    ----------
    result : Policies
        Nothing is checked of an empty one.
    trial : Trial
        The trial it is of: members have to have been divided alike at all times.
    """
    if result.why_empty:
        return []
    return [_same_chances(trial), _better_than_simple(result)]


def _same_chances(trial: Trial) -> Check:
    p = check_split(trial).p_drift
    verdict: Verdict = "fail" if p < FAIL else "warn" if p < WARN else "pass"
    return Check(
        "The chance of being given the scheme is known",
        verdict,
        f"Members were divided over the schemes alike in all months: p = {p:.4f}.",
        "Every member is weighed by the chance of the lot."
        if verdict == "pass"
        else "The division changed over time, so members are weighed by a chance that was not theirs.",
        false_alarm_rate=WARN,
    )


def _better_than_simple(result: Policies) -> Check:
    learned = result.best not in (EVERYONE, NO_ONE, UNDECIDED)
    undecided = result.best == UNDECIDED
    return Check(
        "Choosing members is better than not choosing",
        "warn" if undecided else "pass",
        f"{count(result.members)} members, {result.splits} splits; best: {result.best}.",
        "Choosing surely earns more than giving the scheme to everyone or to no one."
        if learned
        else "Too little is known to tell the ways of giving the scheme apart."
        if undecided
        else "No choice of members surely earns more than this; a smaller gain is not excluded.",
        **TARGET_RATES,
    )
