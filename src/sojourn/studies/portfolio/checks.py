"""What could be wrong with all trials together, each check with its measured rates."""

from __future__ import annotations

from sojourn.core.results.check import Check, Verdict
from sojourn.core.results.portfolio import Portfolio, ProxyExam
from sojourn.core.results.trial_prior import PastLifts
from sojourn.core.text import count, listing, percent, plural
from sojourn.studies.portfolio.rates import FIT, LOT, PAST, PROXY

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


def check_portfolio(portfolio: Portfolio) -> list[Check]:
    """Check that trials were by lot and that the belief could have produced them; nothing without trials."""
    if portfolio.why_empty:
        return []
    return [_by_lot(portfolio), _fits(portfolio)]


def _by_lot(portfolio: Portfolio) -> Check:
    name = "Members of all schemes were alike before"
    if not portfolio.knows_before:
        finding = "What members did before they were assigned is not known."
        return Check(name, "warn", finding, "Whether members were assigned by lot is taken on trust.", *LOT)
    odd = [str(row.trial) for row in portfolio.left_out.itertuples() if not row.by_lot]
    if not odd:
        finding = f"No difference beyond chance in {plural(portfolio.trials, 'trial')}."
        return Check(name, "pass", finding, "Differences afterwards are the schemes' or chance.", *LOT)
    finding = f"In {listing(odd)}, members of the schemes had not come equally often before."
    meaning = "Left out of this page: what it would show is who was chosen, not what the scheme does."
    return Check(name, "warn", finding, meaning, *LOT)


def _fits(portfolio: Portfolio) -> Check:
    unlikely = portfolio.p_fit < _UNLIKELY
    stated = "stated belief" if portfolio.belief is not None else "learned law of lifts"
    meaning = {
        False: "Shrunk effects, and their sum, are as good as it.",
        True: "Shrunk effects and their sum rest on a belief that these trials speak against.",
    }[unlikely]
    chance = "less than 1 in 1,000" if portfolio.p_fit < 0.001 else percent(portfolio.p_fit)
    of = plural(portfolio.trials, "trial")
    finding = {
        False: f"The effects of {of} lie and spread as the {stated} expects.",
        True: f"Under the {stated}, effects as odd as those of {of} have a chance of {chance}.",
    }[unlikely]
    return Check("Belief and past effects agree", "warn" if unlikely else "pass", finding, meaning, *FIT)


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
