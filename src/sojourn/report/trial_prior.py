"""Words of beliefs: what past trials say of the next one, and what a belief does to an answer."""

from __future__ import annotations

import math

import pandas as pd

from sojourn.core.interval import Interval
from sojourn.core.results.trial_prior import PastLifts, PriorCheck
from sojourn.core.results.trials import plain_scheme
from sojourn.core.text import count, in_words, listing, number, percent, plural
from sojourn.report.say import register

#: From so many degrees of freedom a law counts as normal.
_NORMAL_FROM = 100


def _unit(past: PastLifts) -> str:
    return {"share": "members in 100"}.get(past.unit, past.unit)


def _factor(past: PastLifts) -> float:
    return 100.0 if past.unit == "share" else 1.0


def _digits(past: PastLifts) -> int:
    return 1 if past.unit == "share" else 2


@register
def say_past(past: PastLifts) -> str:
    """Say how lifts spread, and what the next one is likely to be."""
    if past.why_empty:
        return past.why_empty
    low, high = (number(x, _digits(past), signed=True) for x in _ends(past.next_lift().scaled(_factor(past))))
    return (
        f"Over {plural(past.trials, 'past trial')} true lifts spread by "
        f"{in_words(_spread(past), _unit(past), _digits(past))}. "
        f"The next one lies between {low} and {high} {_unit(past)} ({percent(past.mass, 0)} prediction "
        "interval). "
        f"{_tails(past)}"
    )


def _ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def _spread(past: PastLifts) -> Interval:
    row = past.table.iloc[0]
    made = Interval(
        float(row["spread"]), float(row["spread_low"]), float(row["spread_high"]), past.mass, "eti"
    )
    return made.scaled(_factor(past))


def _tails(past: PastLifts) -> str:
    """Say which law describes past trials better, and by how much."""
    heavy = past.table[past.table["tails"] != "normal"].iloc[0]
    normal = past.table[past.table["tails"] == "normal"].iloc[0]
    ahead = float(heavy["log_evidence"] - normal["log_evidence"])
    if past.tails == "normal":
        return "There is no sign of large lifts more often than a normal law has them."
    freedom = (
        "" if heavy["freedom"] > _NORMAL_FROM else f" (about {number(heavy['freedom'])} degrees of freedom)"
    )
    times = f"{number(math.exp(ahead), 0)} times" if ahead < math.log(1000) else "more than 1,000 times"
    return (
        f"Large lifts come more often than under a normal law{freedom}: the trials are {times} as likely "
        "under such tails."
    )


def describe_past(past: PastLifts) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of past lifts."""
    row = past.table.iloc[0]
    spread = number(_factor(past) * float(row["spread"]), _digits(past))
    errors = "what estimates add to that by chance is taken away"
    title = f"True lifts of past trials spread by {spread} {_unit(past)}; {errors}"
    held = past.held[past.held["tails"] == past.tails]
    subtitle = (
        f"Lifts as estimated in {plural(past.trials, 'past trial')} (bars), as the law expects estimates to "
        f"be, and true lifts without their errors; {_unit(past)}. {_tails(past)}"
    )
    return {"title": title, "subtitle": subtitle + _held(held), "alt": say_past(past)}


def _held(held: pd.DataFrame) -> str:
    if held.empty:
        return ""
    row = held.iloc[-1]
    return (
        f" Learned from the earlier half, {percent(row['mass'], 0)} intervals hold "
        f"{percent(row['coverage'])} of the {count(row['effects'])} later estimates."
    )


def past_frame(past: PastLifts) -> pd.DataFrame:
    """Return both laws as a table; empty where there is none."""
    if past.why_empty:
        return pd.DataFrame()
    factor = _factor(past)
    table = past.table
    made = pd.DataFrame({"tails": table["tails"], "log_likelihood": table["log_evidence"]})
    for name in ("centre", "spread"):
        for end in ("", "_low", "_high"):
            made[f"{name}_of_lifts{end}"] = factor * table[f"{name}{end}"]
    made["freedom"] = table["freedom"].where(table["freedom"] < _NORMAL_FROM)
    if len(past.held):
        widest = past.held[past.held["mass"] == past.held["mass"].max()].set_index("tails")
        made["log_score_later"] = table["tails"].map(widest["log_score"])
        for end in ("", "_low", "_high"):
            made[f"later_coverage{end}"] = table["tails"].map(widest[f"coverage{end}"])
    return made


def describe_past_table(past: PastLifts) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of laws."""
    other = past.table.iloc[1]
    title = f"The law in use has tails {_tails_in_words(past.tails)}; beside it the other one"
    note = (
        f"Lifts in {_unit(past)}, {past.mass * 100:g} % credible intervals. Marginal likelihood as a "
        "logarithm; "
        f"score: mean logarithm of the density of each later estimate, predicted from the earlier half. "
        f"The other law is {_tails_in_words(str(other['tails']))}. Later coverage: share of later "
        "estimates in "
        "95 % intervals, with its exact 95 % confidence interval."
    )
    return {"title": title, "note": note}


def _tails_in_words(tails: str) -> str:
    return "as a normal law" if tails == "normal" else tails


@register
def say_prior_check(check: PriorCheck) -> str:
    """Say what was likely, what was seen, and how much of the answer is the belief's."""
    parts = [_scheme(check, row) for _, row in check.table.iterrows()]
    return " ".join(parts)


def _scheme(check: PriorCheck, row: pd.Series) -> str:
    digits = 1 if check.kind == "binary" else 2
    low, high, seen, lift = (
        number(check.factor * float(row[c]), digits, signed=True)
        for c in ("expected_low", "expected_high", "seen", "lift")
    )
    name = plain_scheme(str(row["scheme"]))
    return (
        f"{name[0].upper()}{name[1:]}: the belief made {low} to {high} {check.unit} likely to be counted "
        f"({percent(check.mass, 0)} prediction interval), {seen} was; with the belief the lift is {lift}: "
        f"{row['reading']}."
    )


def describe_prior_check(check: PriorCheck) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of what was likely beside what was seen."""
    outside = check.table[
        (check.table["seen"] < check.table["expected_low"])
        | (check.table["seen"] > check.table["expected_high"])
    ]
    if len(outside):
        names = listing([plain_scheme(str(scheme)) for scheme in outside["scheme"]])
        title = f"What was counted under {names} lies where the belief hardly expected it"
    else:
        title = "What was counted lies where the belief expected it"
    subtitle = (
        f"Difference from {plain_scheme(check.control)} in {_what(check)}. Thick: true lifts that the "
        "belief makes "
        f"likely; thin: lifts that a trial of this size would count ({check.mass * 100:g} % each); points: "
        "as "
        f"counted. Chance of a trial as far out as this: {_p(check.p_conflict)}."
    )
    return {"title": title, "subtitle": subtitle, "alt": say_prior_check(check)}


def _what(check: PriorCheck) -> str:
    """Return what lifts are of, with their unit."""
    if check.kind == "binary":
        return f"members in 100 who {check.words}"
    return f"{check.words}, {check.currency}".removesuffix(", ")


def _p(p: float) -> str:
    return "less than 0.01" if p < 0.01 else number(p, 2)


def outcomes_frame(check: PriorCheck) -> pd.DataFrame:
    """Return outcomes that the belief made likely, given control, beside those that were counted."""
    table, what = check.table, "share" if check.kind == "binary" else "amount"
    return pd.DataFrame(
        {
            "scheme": table["scheme"].map(plain_scheme),
            f"{what}_counted": table["outcome"],
            f"{what}_likely_from": table["outcome_low"],
            f"{what}_likely_to": table["outcome_high"],
            "p_as_far_out": table["p_seen"],
        }
    )


def describe_outcomes(check: PriorCheck) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of outcomes that the belief made likely."""
    who = f"Members who {check.words}" if check.kind == "binary" else f"{check.words}, {check.currency}"
    note = (
        f"{who.removesuffix(', ')}. Likely: the {check.mass * 100:g} % prediction interval of a trial of "
        f"this size, from the belief and what was counted under {plain_scheme(check.control)}; chance: of a "
        "lift as far from the belief as the one that was counted."
    )
    return {"title": "Outcomes that the belief made likely, and those that were counted", "note": note}


def power_frame(check: PriorCheck) -> pd.DataFrame:
    """Return the answer when the belief counts half, once and twice, as a table."""
    table = check.table
    made = pd.DataFrame({"scheme": table["scheme"].map(plain_scheme)})
    stems = {"halved_": "with_half_belief", "": "as_it_is", "doubled_": "with_twice_belief"}
    for prefix, words in stems.items():
        name = f"{words}_lift" if check.kind == "binary" else f"amount_{words}"
        for end in ("", "_low", "_high"):
            made[f"{name}{end}"] = table[f"{prefix}lift{end}"]
        made[f"p_worth_{words}"] = table[f"p_{prefix}worth"]
    made["sensitivity_to_belief"] = table["belief_sensitivity"]
    made["sensitivity_to_data"] = table["data_sensitivity"]
    return made.assign(reading=table["reading"])


def describe_power(check: PriorCheck) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of answers under weaker and stronger beliefs."""
    if check.hanging:
        names = listing([plain_scheme(scheme) for scheme in check.hanging])
        title = f"Whether {names} would ship depends on how much the belief counts"
    else:
        title = "What ships is the same when the belief counts half or twice"
    note = (
        f"Lift over {plain_scheme(check.control)} in {check.unit}, {check.mass * 100:g} % credible "
        "intervals; belief and "
        "likelihood raised to powers by importance weights. Sensitivity: how far the distribution of the "
        "lift "
        "moves per doubling (0 not at all; 0.05 and more is noticeable)."
    )
    return {"title": title, "note": note}
