"""Words for revenue in trials, and for outcomes adjusted for what was known before assignment."""

from __future__ import annotations

import math

import pandas as pd

from sojourn.core.results.trial_revenue import Adjusted, PaymentSizes, Revenue
from sojourn.core.results.trials import plain_scheme
from sojourn.core.text import begun, bounds, count, listing, money, number, percent
from sojourn.report.say import register

_PART_WORDS = {
    "who pays": ("more members pay", "fewer members pay"),
    "how much": ("those who pay pay more", "those who pay pay less"),
    "refunded": ("less is refunded", "more is refunded"),
}


@register
def say_revenue(result: Revenue) -> str:
    """Say what the best scheme adds to revenue, through which part, and by which way it was computed."""
    if result.why_empty:
        return result.why_empty
    scheme = _best(result)
    return f"{_lift(result, scheme)}. {_through(result, scheme)}{result.because}"


def brief_revenue(result: Revenue) -> str:
    """Say in one short sentence what the best scheme adds to revenue; or nothing."""
    return "" if result.why_empty else f"{_lift(result, _best(result))}."


def _best(result: Revenue) -> str:
    rows = result.table.iloc[1:].sort_values(["amount_above", "scheme"], ascending=[False, True])
    return str(rows["scheme"].iloc[0])


def _lift(result: Revenue, scheme: str) -> str:
    lift, control = result.lift(scheme), plain_scheme(result.control)
    verb, to = ("adds", "to") if lift.value >= 0 else ("takes", "from")
    return (
        f"{plain_scheme(scheme)} {verb} {money(abs(lift.value), result.currency)} {to} revenue per member "
        f"within {result.days} days, compared with {control} ({bounds(lift, 2)})"
    )


def _through(result: Revenue, scheme: str) -> str:
    """Say which parts clearly differ, the largest first; nothing where none does."""
    parts = result.parts[result.parts["scheme"] == scheme]
    clear = parts[parts["amount_above_low"] * parts["amount_above_high"] > 0]
    if clear.empty:
        return ""
    ordered = clear.sort_values("amount_above", key=abs, ascending=False).to_dict("records")
    said = [
        f"{_PART_WORDS[row['part']][row['amount_above'] < 0]} "
        f"({number(row['amount_above'], 2, signed=True)} per member)"
        for row in ordered
    ]
    return f"Of that, {listing(said)}. "


def describe_revenue(result: Revenue) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of lifts and their parts."""
    scheme = _best(result)
    rows = result.drawn().to_dict("records")
    alt = "; ".join(
        f"{plain_scheme(row['scheme'])}, {row['part']}: {number(row['amount_above'], 2, signed=True)} "
        f"({number(row['amount_above_low'], 2)} to {number(row['amount_above_high'], 2)})"
        for row in rows
    )
    members = result.table["n"].sum()
    return {
        "title": _title(result, scheme),
        "subtitle": f"Revenue per member within {result.days} days, less refunds, above "
        f"{plain_scheme(result.control)}; below it the parts it is made of. {count(members)} members; bars: "
        f"{result.lift(scheme).label}.",
        "alt": f"Lifts with intervals around a line at 0: {alt}.",
    }


def _title(result: Revenue, scheme: str) -> str:
    lift = result.lift(scheme)
    if lift.low > 0 or lift.high < 0:
        return begun(_lift(result, scheme))
    return "No scheme clearly changes revenue per member"


@register
def say_sizes(result: PaymentSizes) -> str:
    """Say whether payments follow the law of the model."""
    return result.why_empty or f"{_law(result)}."


def _law(result: PaymentSizes) -> str:
    if result.follows_law:
        return "Payments look log-normal in every scheme"
    if result.fit.empty:
        return "Too few members paid to judge by which law"
    return "Payments are not log-normal, so no law of payments is used"


def describe_sizes(result: PaymentSizes) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of payments by size."""
    tallest = result.table.loc[result.table.groupby("scheme", sort=False)["share"].idxmax()]
    said = "; ".join(
        f"{plain_scheme(row['scheme'])}: most {_between(row['amount_from'], row['amount_to'])} "
        f"({percent(row['share'], 0)})"
        for row in tallest.to_dict("records")
    )
    return {
        "title": _law(result),
        "subtitle": f"Payments within {result.days} days of the {count(result.payers)} members who paid, by "
        "size and scheme; bars: share of payers, line: the log-normal law fitted to them.",
        "alt": f"Histograms of payments on a logarithmic axis, one below the other. {said}.",
    }


def revenue_frame(result: Revenue) -> pd.DataFrame:
    """Return every scheme's revenue and its parts, and the lift by each way of computing it."""
    if result.why_empty:
        return pd.DataFrame()
    table = result.table.rename(
        columns=lambda name: name.replace("amount_above", "amount_above_control").replace(
            "p_beats_control", "p_beating_control"
        )
    )
    doubled = "hurdle" if result.published == "hurdle" else "free"
    other = [name for name in table.columns if name.startswith(f"{doubled}_")]
    return table.drop(columns=other).assign(scheme=table["scheme"].map(plain_scheme))


def describe_revenue_table(result: Revenue) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of revenue."""
    ways = ["the log-normal hurdle model", "a Dirichlet bootstrap without a law"]
    way, other = ways if result.published == "hurdle" else ways[::-1]
    return {
        "title": f"Revenue per member within {result.days} days, and what it is made of",
        "note": f"By {way}; {result.mass * 100:g} % intervals. {result.because} Beside it the difference "
        f"by {other} and by moments (normal interval). Size: mean payment of one who pays.",
    }


def _between(low: float, high: float) -> str:
    if math.isinf(high):
        return f"from {number(low, 0)} on"
    return f"between {number(low, 0)} and {number(high, 0)}"


@register
def say_adjusted(result: Adjusted) -> str:
    """Say how much narrower intervals are with what was known before assignment, and the lift it gives."""
    if result.why_empty or result.result is None or result.plain is None:
        return result.why_empty
    scheme = str(result.table["scheme"].iloc[_most(result)])
    binary = result.result.kind == "binary"
    factor, digits = (100, 1) if binary else (1, 2)
    unit = "members in 100" if binary else f"{result.result.currency} per member".strip()
    lifts = [of.lift(scheme).scaled(factor) for of in (result.result, result.plain)]
    said = [f"{number(lift.value, digits, signed=True)} {unit} ({bounds(lift, digits)})" for lift in lifts]
    return f"{_narrower(result)}: for {plain_scheme(scheme)} {said[0]}, against {said[1]} without it."


def _most(result: Adjusted) -> int:
    return int(result.table["lift"].to_numpy().argmax())


def _narrower(result: Adjusted) -> str:
    share = float(result.table["narrower_share"].mean())
    if share < 0.01:
        return f"Knowing {result.before} hardly changes the intervals"
    return f"Knowing {result.before} makes intervals {percent(share, 0)} narrower"


def describe_adjusted(result: Adjusted) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture with and without adjustment."""
    members = 0 if result.result is None else int(result.result.table["n"].sum())
    label = "" if result.result is None else result.result.lift(result.result.schemes[1]).label
    alt = "; ".join(
        f"{plain_scheme(row['scheme'])}: narrower by {percent(row['narrower_share'], 0)}"
        for row in result.table.to_dict("records")
    )
    return {
        "title": _narrower(result),
        "subtitle": f"Difference from control in {result.words}; {count(members)} members. Bars: {label} "
        "with what was known before assignment; thin lines: without.",
        "alt": f"Two intervals for each scheme: {alt}.",
    }
