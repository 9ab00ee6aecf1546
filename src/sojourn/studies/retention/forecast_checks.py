"""What could be wrong with a forecast: how it did on held-out entries, and whether the fast path is right."""

from __future__ import annotations

from sojourn.core.results.check import Check, Verdict
from sojourn.core.results.retention_forecast import Audit, Forecast, Race
from sojourn.core.text import count, number, percent, plural
from sojourn.studies.retention.race import coverage_verdict, held_verdict

#: The audit passes when expected shares differ by at most so many sampled standard deviations, and widths of
#: intervals by no more than these factors.
SHIFT_MOST, WIDTH_LEAST, WIDTH_MOST = 0.25, 0.8, 1.25
#: Measured by ``calibration/forecast.py`` (`check_rates`): share of faults found, share of false alarms.
HELD_RATES = (1.0, 0.35)
_HELD_FROM = (
    "40 worlds each of 18 cohorts of 200 to 2,000 members; fault: odds of leaving 1.5 times as high in the "
    "last six steps"
)


def blocked_by(forecast: Forecast) -> str:
    """Return why a forecast that was made may not be shown; empty when it may."""
    race, audit = forecast.race, forecast.audit
    if race is not None and coverage_verdict(race, forecast.mass) == "fail":
        return (
            f"The best model ({race.chosen}) had only {percent(race.coverage)} of held-out entries inside "
            f"its {forecast.mass * 100:g} % intervals, so it feeds no forecast."
        )
    if audit is not None and _audit_verdict(audit) != "pass":
        return "Two ways of computing the forecast do not agree, so none is given."
    return ""


def check_forecast(forecast: Forecast) -> list[Check]:
    """Return the checks of a forecast: held-out coverage, and agreement of the fast path with sampling.

    None where too little could be held out: then there is no forecast, and it says why.
    """
    if forecast.race is None:
        return []
    checks = [_held_out(forecast.race, forecast.mass)]
    return checks if forecast.audit is None else [*checks, _audited(forecast.audit)]


def _held_out(race: Race, mass: float) -> Check:
    verdict = held_verdict(race, mass)
    finding = (
        f"{percent(race.coverage)} of {count(race.entries)} held-out entries of "
        f"{plural(race.cohorts, 'cohort')} fell inside their {mass * 100:g} % intervals; the total did from "
        f"{race.totals_inside} of {plural(race.totals, 'earlier date')}."
    )
    meaning = {
        "pass": "Intervals of the forecast can be taken at their word.",
        "warn": "Intervals of the forecast are somewhat too narrow.",
        "fail": "The forecast is not given.",
    }[verdict]
    if verdict != coverage_verdict(race, mass):
        missed = race.totals - race.totals_inside
        meaning = (
            f"Intervals of single months held; that of the total missed from {missed} "
            f"of {plural(race.totals, 'earlier date')} (these overlap), so read it as too narrow."
        )
    return Check("The forecast held on later months", verdict, finding, meaning, *HELD_RATES, _HELD_FROM)


def _audit_verdict(audit: Audit) -> Verdict:
    if audit.failed:
        return "cannot be judged"
    agrees = audit.shift <= SHIFT_MOST and audit.narrowest >= WIDTH_LEAST and audit.widest <= WIDTH_MOST
    return "pass" if agrees else "fail"


def _audited(audit: Audit) -> Check:
    verdict = _audit_verdict(audit)
    if audit.failed:
        return Check("Two ways of computing agree", verdict, audit.sampler, "So there is no forecast.")
    finding = (
        f"Over {count(audit.entries)} forecast entries ({audit.model}) expected shares differ by at most "
        f"{number(audit.shift, 2)} standard deviations, widths of intervals by factors of "
        f"{number(audit.narrowest, 2)} to {number(audit.widest, 2)}."
    )
    agree = "The quick computation may be used."
    return Check(
        "Two ways of computing agree", verdict, finding, agree if verdict == "pass" else "No forecast."
    )
