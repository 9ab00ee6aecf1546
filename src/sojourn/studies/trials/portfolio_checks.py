"""What could be wrong with beliefs and with all trials together, each check with its measured rates."""

from __future__ import annotations

from sojourn.core.results.check import Check, Verdict
from sojourn.core.results.trial_portfolio import Portfolio, ProxyExam
from sojourn.core.results.trial_prior import PastLifts, PriorCheck
from sojourn.core.results.trials import plain_scheme
from sojourn.core.text import count, listing, number, percent, plural
from sojourn.studies.trials.portfolio_rates import FIT, PAST, PRIOR, PROXY

#: Below this the law could hardly have produced the estimates.
_UNLIKELY = 0.01
#: Held-out estimates: coverage of 95 % intervals may surely not lie outside these.
_HELD_MASS, _HELD_BOUNDS = 0.95, (0.92, 0.98)


def check_past(past: PastLifts) -> list[Check]:
    """Check that a law of earlier trials predicts later ones; nothing where there is no law."""
    if past.why_empty:
        return []
    name = "Earlier trials tell of later ones"
    if past.held.empty:
        finding = f"{plural(past.trials, 'past trial')}: too few to hold any out."
        return [Check(name, "warn", finding, "Whether the next trial is like these is taken on trust.")]
    held = past.held[(past.held["tails"] == past.tails) & (past.held["mass"] == _HELD_MASS)].iloc[0]
    low, high = float(held["coverage_low"]), float(held["coverage_high"])
    fails = high < _HELD_BOUNDS[0] or low > _HELD_BOUNDS[1]
    finding = (
        f"Of {count(held['effects'])} later estimates {percent(held['coverage'])} lie in the "
        f"{percent(_HELD_MASS, 0)} intervals that earlier trials give "
        f"(95 % exact confidence interval {percent(low)} to {percent(high)})."
    )
    meaning = {
        False: "The belief may be used for the next trial.",
        True: "Lifts have become larger or smaller than they were: learn the belief from recent trials only.",
    }[fails]
    return [Check(name, "warn" if fails else "pass", finding, meaning, *PAST)]


def check_prior(check: PriorCheck) -> list[Check]:
    """Check that the answer is the data's and would be the same had the belief counted half or twice."""
    deciding = check.table[check.table["reading"].isin(["the belief decides", "belief and data disagree"])]
    verdict: Verdict = "warn" if len(deciding) or check.hanging else "pass"
    worst = check.worst
    finding = (
        f"{plain_scheme(str(worst['scheme']))}: {worst['reading']}; the lift is "
        f"{_amount(check, worst['halved_lift'])} {check.unit} when the belief counts half, "
        f"{_amount(check, worst['lift'])} as it is, {_amount(check, worst['doubled_lift'])} when it counts "
        f"twice (sensitivity to the belief {number(worst['belief_sensitivity'], 2)}, to the data "
        f"{number(worst['data_sensitivity'], 2)})."
    )
    return [
        Check(
            f"The answer does not hang on the belief ({check.words})",
            verdict,
            finding,
            _hanging(check, [plain_scheme(str(scheme)) for scheme in deciding["scheme"]]),
            *PRIOR,
        )
    ]


def _amount(check: PriorCheck, lift: float) -> str:
    return number(check.factor * float(lift), 1 if check.kind == "binary" else 2, signed=True)


def _hanging(check: PriorCheck, deciding: list[str]) -> str:
    if check.hanging:
        names = listing([plain_scheme(scheme) for scheme in check.hanging])
        return f"Whether {names} would ship depends on how much the belief counts: get more data first."
    if deciding:
        return f"For {listing(deciding)} the belief is at odds with the data, or says more than they do."
    return "Half or twice the weight of the belief would not change what ships."


def check_portfolio(portfolio: Portfolio) -> list[Check]:
    """Check that the belief could have produced the trials; nothing where there are none."""
    if portfolio.why_empty:
        return []
    unlikely = portfolio.p_fit < _UNLIKELY
    stated = "frozen belief" if portfolio.belief is not None else "learned law of lifts"
    meaning = {
        False: "Shrunk effects, and their sum, are as good as it.",
        True: "Shrunk effects and their sum rest on a belief that these trials speak against.",
    }[unlikely]
    finding = (
        f"The {stated} and the effects of {plural(portfolio.trials, 'trial')}: p = {portfolio.p_fit:.4f}."
    )
    return [
        Check(
            "Belief and past effects agree",
            "warn" if unlikely else "pass",
            finding,
            meaning,
            *FIT,
        )
    ]


def check_proxy(exam: ProxyExam) -> list[Check]:
    """Check that early results may stand for late ones; nothing where there is no early outcome."""
    if exam.why_empty:
        return []
    name = "Early results stand for late ones"
    meaning = {
        "accepted": "Early results may be used to choose what is tried next.",
        "refused": "Nothing may be decided by early results.",
        "undecided": "Nothing may be decided by early results yet.",
        "cannot be judged": "Nothing may be decided by early results.",
    }[exam.verdict]
    verdict: Verdict = (
        "pass" if exam.verdict == "accepted" else "warn"
    )  # no answer here rests on early results
    return [Check(name, verdict, exam.reason or _explained(exam), meaning, *PROXY)]


def _explained(exam: ProxyExam) -> str:
    return (
        f"The chance that early effects explain at least {percent(exam.least, 0)} of late ones is "
        f"{percent(exam.p_explained, 0)} over {plural(exam.trials, 'trial')}; {percent(exam.sure, 0)} are "
        "asked."
    )
