"""What could be wrong with outcomes beyond shares and values; rates stand in `calibration/lasting.py`."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import pandas as pd

from sojourn.core.results.check import Check, Verdict
from sojourn.core.results.trial_outcomes import CountedActivity, Guardrails, Lasting, RatioResult
from sojourn.core.results.trials import plain_scheme
from sojourn.core.text import count, listing, number, percent, plural
from sojourn.studies.trials.counted import LAW, LEVEL
from sojourn.studies.trials.split import FAIL, WARN

#: Members seen to leave that every scheme needs, for its intervals to be claimed.
LEAST_GONE = 10
#: A fault whose catch rate is told: those assigned last leave so many times as fast as those assigned first.
DRIFT = 1.3
#: Measured over simulated trials (calibration/lasting.py).
CROSSING_RATES: dict[str, Any] = {
    "catch_rate": 0.97,
    "false_alarm_rate": 0.01,
    "rates_from": "2 x 1,500 members; 8 % leave early under the scheme, 20 % late under control",
}
LAW_RATES: dict[str, Any] = {
    "catch_rate": 0.99,
    "false_alarm_rate": 0.01,
    "rates_from": "2 x 1,500 members, of whom 7 % never come while the others follow the law",
}
#: A denominator that lies fewer of its standard errors above 0 makes a ratio unsteady.
STEADY_ERRORS = 10.0


def check_lasting(result: Lasting) -> list[Check]:
    """Look for what would make the comparison of the time with us wrong.

    Parameters
    ----------
    result : Lasting
        Nothing is checked of an empty one.

    Returns
    -------
    list of Check
        Enough seen to leave, those assigned late like those assigned early, no crossing of curves.
    """
    if result.why_empty:
        return []
    return [_enough(result), _late(result), _crossing(result)]


def _enough(result: Lasting) -> Check:
    fewest = int(result.table["churned"].min())
    enough = fewest >= LEAST_GONE
    leave, left, there = (
        ("come back", "came back", "away") if result.wins_back else ("leave", "left", "there")
    )
    return Check(
        f"Enough members seen to {leave}",
        "pass" if enough else "cannot be judged",
        f"At least {count(fewest)} of every scheme {left} within {result.horizon} days; "
        f"{count(result.table['at_risk'].min())} or more were {there} on the last of them.",
        "The intervals hold their mass."
        if enough
        else f"With fewer than {LEAST_GONE} of them the intervals may be too narrow: wait.",
    )


def _late(result: Lasting) -> Check:
    do = "come back" if result.wins_back else "leave"
    name, late = f"Those assigned late {do} like those assigned early", result.late
    if math.isnan(late.p_value):
        return Check(
            name,
            "pass" if not result.immature else "cannot be judged",
            f"All members are of one period of assignment; {_not_followed(result)}.",
            f"Nobody is taken to {do} as others did."
            if not result.immature
            else f"Members not followed to the end are taken to {do} as the others did.",
        )
    verdict: Verdict = "pass"
    if late.p_value < WARN and result.immature:
        verdict = "fail" if late.p_value < FAIL else "warn"
    meaning = {
        "pass": f"Members not followed to the end may be taken to {do} as the others did."
        if result.immature
        else f"Everybody was followed to the end, so nobody is taken to {do} as others did.",
        "warn": "The time under every scheme may move as late members are followed further.",
        "fail": "Late members are not like early ones; wait until they have been followed to the end.",
    }
    return Check(
        name,
        verdict,
        f"{plural(late.periods, 'period')} of assignment, p = {late.p_value:.4f}; {_not_followed(result)}.",
        meaning[verdict],
        catch_rate=late.catch_rate(DRIFT, WARN),
        false_alarm_rate=WARN,
        rates_from=f"those assigned last {do} {DRIFT:g} times as fast as those assigned first; "
        "the power of the test at this size",
    )


def _not_followed(result: Lasting) -> str:
    if not result.immature:
        done = "coming back" if result.wins_back else "leaving"
        return f"all were followed for {result.horizon} days or to their {done}"
    return f"{count(result.immature)} not yet followed for {result.horizon} days"


def _crossing(result: Lasting) -> Check:
    crossing = [plain_scheme(scheme) for scheme in result.schemes[1:] if result.crosses(scheme)]
    there, keeps = ("back", "wins back") if result.wins_back else ("with us", "keeps")
    return Check(
        "The difference keeps its sign",
        "warn" if crossing else "pass",
        f"Under {listing(crossing)} surely more are {there} on some days and surely fewer on others."
        if crossing
        else f"No scheme surely {keeps} more on some days and fewer on others.",
        "The mean over all days hides a change: read the curves, and follow members for longer."
        if crossing
        else "One number may stand for all days.",
        **CROSSING_RATES,
    )


def check_counted(result: CountedActivity) -> list[Check]:
    """Look for what would make the comparison of activity wrong: whether its law fits the histograms.

    Parameters
    ----------
    result : CountedActivity
        Nothing is checked of an empty one.
    """
    if result.why_empty:
        return []
    fits = result.law == LAW
    return [
        Check(
            "Counts of active days follow a negative binomial",
            "pass" if fits else "warn",
            f"p = {result.p_fit:.4f}; below {LEVEL:g} the law is not used.",
            "The published numbers rest on the law."
            if fits
            else "The law does not fit and is not used: the published numbers rest on the counts alone.",
            **LAW_RATES,
        )
    ]


def check_ratio(result: RatioResult) -> list[Check]:
    """Look for what would make a ratio unsteady: denominators close to 0.

    Parameters
    ----------
    result : RatioResult
        Nothing is checked of an empty one.
    """
    if result.why_empty:
        return []
    away = (result.table["bottom"] / result.table["bottom_se"]).min()
    steady = bool(away >= STEADY_ERRORS)
    return [
        Check(
            f"The ratio is steady ({result.words})",
            "pass" if steady else "warn",
            f"Every denominator lies at least {number(away, 0)} standard errors above 0.",
            "The ratio is as sure as its parts."
            if steady
            else "The ratio may lie far to one side of its estimate: look at both parts alone.",
        )
    ]


def check_guardrails(result: Guardrails, scheme: str) -> list[Check]:
    """Return one check per guarded outcome, for one scheme: a broken one blocks its recommendation.

    Parameters
    ----------
    result : Guardrails
        Nothing is checked of an empty one.
    scheme : str
        The scheme that may be recommended.
    """
    if result.why_empty:
        return []
    own = result.table[result.table["scheme"] == scheme]
    return [_guarded(row, result) for _, row in own.iterrows()]


def _guarded(row: pd.Series, result: Guardrails) -> Check:
    broken, margin = row["verdict"] == "broken", float(row["margin_share"])
    normal = NormalDist()
    error = (row["lift_high"] - row["lift_low"]) / (2 * normal.inv_cdf((1 + result.mass) / 2))
    return Check(
        f"Guardrail: {row['words']}",
        "fail" if broken else "pass",
        f"Under {plain_scheme(row['scheme'])} the chance of {number(100 * margin)} {row['bad']} in 100, or "
        f"worse, is {percent(row['p_harm'])}; allowed are {percent(result.risk, 0)}.",
        "The scheme may make this worse by more than is tolerated."
        if broken
        else "The scheme does not make this worse by more than is tolerated.",
        catch_rate=1 - result.risk,
        false_alarm_rate=normal.cdf(normal.inv_cdf(1 - result.risk) - margin / error),
        rates_from="caught: worse by exactly the margin; false alarms: changing nothing, at this size",
    )
