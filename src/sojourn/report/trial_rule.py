"""Words for a rule itself: how often it is wrong, what it finds, and the threshold that keeps a promise."""

from __future__ import annotations

import pandas as pd

from sojourn.core.results.trial_plan import OutcomeKind
from sojourn.core.results.trial_rule import ErrorRateCard, RuleCalibration
from sojourn.core.text import count, listing, money, number, percent, plural
from sojourn.report.say import register

#: A percentage is printed without decimals when it is whole within this.
_WHOLE = 1e-9
#: What schemes do in the simulated worlds without a lift to be found.
DOING = {
    "all_null": "no scheme does anything",
    "one_good": "one scheme is good, the others do nothing",
    "others_bad": "one scheme does nothing, the others do harm",
    "late_effect": "schemes lose at first and gain later on, nothing over all",
}
#: How members come in.
DIVIDED = {
    "as planned": "members divided as planned",
    "half under control": "half of the members under control",
    "late ramp": "most members coming late",
    "changing allocation": "ever fewer members under control",
}


def _looks_title(rates: ErrorRateCard) -> str:
    """Return what looking more often does to the rule, as a finding."""
    once, most = rates.at(1), rates.table.iloc[-1]
    return (
        f"Looked at once, the rule ships a scheme without a lift in {percent(once['wrong_rate'])} of "
        f"trials, looked at {int(most['looks'])} times in {percent(most['wrong_rate'])}."
    )


def _looks_subtitle(rates: ErrorRateCard) -> str:
    """Return what the picture of error rates draws."""
    return (
        f"Share of {count(rates.worlds)} simulated trials of this size in which a scheme without a lift "
        f"ships{_worst_in_words(rates)}; vetoes left out; bars: 95 % simulation error."
    )


def describe_error_card(rates: ErrorRateCard) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of error rates by number of looks."""
    return {
        "title": _looks_title(rates),
        "subtitle": _looks_subtitle(rates),
        "alt": say_error_rates(rates),
    }


def grid_frame(rates: ErrorRateCard) -> pd.DataFrame:
    """Return the grid of null worlds with their rates as a table, the worst first."""
    return pd.DataFrame() if rates.grid.empty else _as_table(rates.grid, rates)


def describe_grid(rates: ErrorRateCard) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of null worlds."""
    return {
        "title": f"In the worst of {len(rates.grid)} kinds of trials the rule ships wrongly in "
        f"{percent(rates.grid['wrong_rate'].iloc[0])}",
        "note": f"{count(rates.worlds)} simulated trials each, {plural(rates.planned_looks, 'look')}, vetoes "
        "left out; true lift of what must not ship exactly 0 over all members; 95 % exact confidence "
        "interval.",
    }


def _as_table(grid: pd.DataFrame, of: ErrorRateCard | RuleCalibration) -> pd.DataFrame:
    """Return null worlds in words, with how often each is wrong."""
    noise = {"control_share": grid["control"]} if of.kind == "binary" else {"amount_spread": grid["sd"]}
    rates = grid[["wrong_rate", "wrong_rate_low", "wrong_rate_high"]]
    words = {"schemes_do": grid["doing"].map(DOING), "members_come": grid["divided"].map(DIVIDED)}
    return pd.concat([pd.DataFrame({**words, **noise}), rates], axis=1)


def _worst_in_words(rates: ErrorRateCard) -> str:
    """Return the world that the rates are of, and among how many it is the worst."""
    if rates.grid.empty:
        return ""
    return f", in the worst of {len(rates.grid)} kinds of trials: {_world(rates.grid.iloc[0], rates)}"


def _world(row: pd.Series, of: ErrorRateCard | RuleCalibration) -> str:
    """Return what one null world is like, as a clause."""
    if of.kind == "binary":
        noise = f"{percent(row['control'])} under control"
    else:
        noise = f"a spread of {money(row['sd'], of.currency)} between members"
    return f"{DOING[str(row['doing'])]}, {noise}, {DIVIDED[str(row['divided'])]}"


def amount(value: float, kind: OutcomeKind, currency: str) -> str:
    """Return a lift in the unit that is shown."""
    if kind == "binary":
        return f"{number(100 * value)} members in 100"
    return f"{money(value, currency)} per member"


@register
def say_error_rates(rates: ErrorRateCard) -> str:
    """Say how often the rule is wrong and how often it finds what is worth it."""
    if rates.why_empty:
        return rates.why_empty
    row = rates.at(rates.planned_looks)
    return (
        f"{_looks_title(rates)} With the planned {plural(rates.planned_looks, 'look')} it is wrong "
        f"in {percent(row['wrong_rate'])} at worst ({DOING[str(row['worst'])]}{_with_vetoes(row)}). "
        f"{_power(rates)} {_as_believed(rates)}{_further(rates)}The decision is simulated by the normal form "
        "of the fast path."
    )


def _with_vetoes(row: pd.Series) -> str:
    if "vetoed_rate" not in row:
        return "; vetoes would make that rarer"
    return f"; with vetoes in {percent(row['vetoed_rate'])}"


def _power(rates: ErrorRateCard) -> str:
    """Say how often the rule finds what is worth having, with vetoes and without."""
    row = rates.at(rates.planned_looks)
    worth = amount(rates.worthwhile, rates.kind, rates.currency)
    neutral = " and that leaves the guard as it is" if rates.guarded else ""
    without = f" ({percent(row['unvetoed_rate'])} if nothing could veto)"
    return f"A scheme worth {worth} more{neutral} ships in {percent(row['found_rate'])}{without}."


def _further(rates: ErrorRateCard) -> str:
    """Say what guardrails that are not simulated do to both rates."""
    if not rates.further:
        return ""
    named = listing([name.replace("_", " ") for name in rates.further])
    are = "is" if len(rates.further) == 1 else "are"
    return (
        f"{plural(len(rates.further), 'further guardrail')} ({named}) can only veto as well and {are} not "
        "simulated: more vetoes cannot make this worst case worse, but schemes worth having may ship less "
        "often. "
    )


def _as_believed(rates: ErrorRateCard) -> str:
    """Say what is lost and by how much estimates of what ships are too high."""
    row = rates.at(rates.planned_looks)
    if "exaggeration" not in row:
        return ""
    over = row["exaggeration"]
    shown = (
        ""
        if pd.isna(over)
        else f"when it does, its estimate is {number(over, 2)} times the truth on average. "
    )
    lost = amount(row["realised_loss"], rates.kind, rates.currency)
    start = f"{shown[:1].upper()}{shown[1:]}"
    return (
        f"{start}Were lifts as believed, the rule would give up {lost} on average against knowing the truth. "
    )


@register
def say_calibration(rule: RuleCalibration) -> str:
    """Say which threshold keeps the promise, in which world it is hardest, and what it costs."""
    if rule.why_empty:
        return rule.why_empty
    worst = rule.worst
    looks = plural(rule.looks, "look")
    said = (
        f"With {looks} and {plural(rule.schemes, 'scheme')}, a threshold of {rule.threshold:.4f} keeps "
        f"wrong ships to {_asked(rule)} of trials: {percent(worst['wrong_rate'])} in the worst of "
        f"{len(rule.table)} kinds of trials ({_world(worst, rule)}). "
    )
    planned = rule.table["planned_rate"].max()
    by = f"The plan's {rule.planned:g} gives {percent(planned)} there"
    if rule.kept_by:
        return f"{said}{by}, but {listing(rule.kept_by)} already keeps them to {percent(_kept(rule))}."
    return f"{said}{by}."


def _asked(rule: RuleCalibration) -> str:
    """Return the share of trials that may ship wrongly, and why it is so small where it is shared."""
    digits = 0 if abs(100 * rule.asked - round(100 * rule.asked)) < _WHOLE else 1
    shared = f" (shared by {rule.family} decisions)" if rule.family > 1 else ""
    return percent(rule.asked, digits) + shared


def _kept(rule: RuleCalibration) -> float:
    """Return wrong ships by the plan's own threshold with the vetoes that keep them rare."""
    column = "planned_loss_rate" if rule.kept_by[0] == "the tolerable loss" else "planned_vetoed_rate"
    return float(rule.table[column].max())


def describe_calibration(rule: RuleCalibration) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of wrong ships by threshold."""
    nearest = int((rule.curve["threshold"] - rule.threshold).abs().argmin())
    found = float(rule.curve["found_rate"].iloc[nearest])
    worth = amount(rule.worthwhile, rule.kind, rule.currency)
    title = (
        f"At a threshold of {rule.threshold:.4f} at most {_asked(rule)} of trials ship what is not worth "
        f"it, and {percent(found)} find a scheme worth {worth}"
    )
    subtitle = (
        f"Share of simulated trials by threshold, {plural(rule.looks, 'look')}, {count(rule.n)} members: "
        f"wrong ships in the worst of {len(rule.table)} kinds of trials, and ships of a scheme worth "
        f"{worth}; vetoes left out."
    )
    return {"title": title, "subtitle": subtitle, "alt": say_calibration(rule)}


def calibration_frame(rule: RuleCalibration) -> pd.DataFrame:
    """Return the grid of null worlds with their rates as a table; empty where there is no threshold."""
    if rule.why_empty:
        return pd.DataFrame()
    with_loss = {
        "with_loss_veto_rate": rule.table["loss_rate"],
        "as_planned_rate": rule.table["planned_rate"],
    }
    return _as_table(rule.table, rule).assign(**with_loss)


def describe_calibration_table(rule: RuleCalibration) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of null worlds."""
    return {
        "title": f"Wrong ships at a threshold of {rule.threshold:.4f}, the worst kind of trial first",
        "note": f"Trials simulated anew; at least {count(rule.table['worlds'].min())} each, "
        f"{count(rule.worlds)} in the worst. 95 % exact confidence interval. As planned: by the plan's own "
        "threshold, without vetoes.",
    }
