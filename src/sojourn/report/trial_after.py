"""What is said of the time after a reward, of money spent in vain, and of whom a scheme reaches."""

from __future__ import annotations

import math

import pandas as pd

from sojourn.core.interval import Interval
from sojourn.core.results.trial_after import Afterwards, Compliance, Deadweight, SpillOver
from sojourn.core.results.trials import plain_scheme
from sojourn.core.text import bounds, count, listing, money, number, percent, plural
from sojourn.report.say import register
from sojourn.report.trial_tables import with_stem
from sojourn.report.trials import either_way

_COUNTED = {
    "everybody": "everybody",
    "no treated neighbour": "without members whom someone with a scheme brought",
    "all or nobody": "as if all had the scheme, or nobody",
}

#: What a scheme does to members who were with us, and to members who had left.
_SEEN = {"kept": "is seen to keep", "back": "is seen to win back"}
_ANYWAY = {"kept": "would have stayed", "back": "would have come back"}
_NOBODY = {"kept": "keeps nobody who would have left", "back": "wins back nobody who would have stayed away"}
_ONE_MORE = {"kept": "who stays", "back": "who comes back"}
_OF_THOSE = {"kept": "Of those kept", "back": "Of those who are back"}
_BRINGS = {"kept": "keeps", "back": "wins back"}
_NO_HARM = {"kept": "makes nobody leave", "back": "keeps nobody away"}


def _aim(result: Deadweight | Compliance) -> str:
    """Return whether members are to be kept or won back; any other outcome is told as the first."""
    return "back" if result.outcome.startswith("back") else "kept"


# --- after the reward ---


@register
def say_afterwards(result: Afterwards) -> str:
    """Say who leaves after the reward, what is left of the lift, and what is paid less afterwards."""
    if result.why_empty:
        return result.why_empty
    best, control = result.best, plain_scheme(result.control)
    pace = result.read(best, "times_after")
    said = (
        f"In the {result.wash_out_days} days after the reward, members still there leave "
        f"{number(pace.value, 2)} times as fast under {plain_scheme(best)} as under {control} "
        f"({bounds(pace, 2)}){_sure(pace)}. {_left_of_it(result, best)}"
    )
    return " ".join(part for part in (said, _paid(result, best), _novelty(result, best)) if part)


def _sure(pace: Interval) -> str:
    if pace.low > 1:
        return ""
    return "" if pace.high < 1 else ", so it is not clear that the end of the reward drives anybody away"


def _left_of_it(result: Afterwards, scheme: str) -> str:
    before, after = (result.read(scheme, name).scaled(100) for name in ("lift_at_end", "lift_after"))
    if before.low <= 0:
        return (
            f"At its end {_more(before)} in 100 of all members are still with us "
            f"({either_way(before, 1, 'more', 'fewer')}); at the end of the wash-out {_more(after)} "
            f"({either_way(after, 1, 'more', 'fewer')})."
        )
    return (
        f"Of {number(before.value)} more in 100 who are kept at its end, {number(after.value)} are left at "
        "the "
        f"end of the wash-out ({either_way(after, 1, 'more', 'fewer')})."
    )


def _more(lift: Interval) -> str:
    return f"{number(abs(lift.value))} {'more' if lift.value >= 0 else 'fewer'}"


def _paid(result: Afterwards, scheme: str) -> str:
    if not result.paid:
        return ""
    during, after, both = (result.read(scheme, f"amount_{name}") for name in ("during", "after", "both"))
    unsure = after.low < 0 < after.high
    return (
        f"A member pays {_amount(during, result)} while it runs and {_amount(after, result)} after it"
        f"{' (which may be chance)' if unsure else ''}: {_amount(both, result)} over both "
        f"({either_way(both, 2, 'more', 'less')})."
    )


def _amount(interval: Interval, result: Afterwards) -> str:
    word = "more" if interval.value >= 0 else "less"
    return f"{money(abs(interval.value), result.currency)} {word}"


def _novelty(result: Afterwards, scheme: str) -> str:
    own = result.trends[result.trends["scheme"] == scheme] if len(result.trends) else result.trends
    words = {"came": "in coming", "paid": "in payments"}
    gone = [words[row["measure"]] for _, row in own.iterrows() if row["per_week_high"] < 0]
    grown = [words[row["measure"]] for _, row in own.iterrows() if row["per_week_low"] > 0]
    if gone:
        return f"The lift {listing(gone)} wears off while the reward runs."
    if grown:
        return f"The lift {listing(grown)} still grows while the reward runs."
    return "There is no clear sign of novelty that wears off while the reward runs." if len(own) else ""


def describe_afterwards(result: Afterwards) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of weeks."""
    below = "payments per member there" if result.paid else "the share that comes"
    subtitle = (
        f"Share of members still there who leave in each week since assignment, under "
        f"{plain_scheme(result.best)} and {plain_scheme(result.control)}; underneath, how much {below} "
        f"lies above {plain_scheme(result.control)}. The reward runs for {result.reward_days} days, the "
        f"wash-out for {result.wash_out_days} more. Bands: {result.mass * 100:g} % confidence intervals, "
        "week "
        "by week."
    )
    return {"title": _afterwards_title(result), "subtitle": subtitle, "alt": say_afterwards(result)}


def _afterwards_title(result: Afterwards) -> str:
    best, control = plain_scheme(result.best), plain_scheme(result.control)
    pace, left = result.read(result.best, "times_after"), result.read(result.best, "lift_after").scaled(100)
    if pace.low > 1:
        return f"Once the reward has ended, members leave faster under {best} than under {control}"
    if left.low > 0:
        return f"What {best} keeps is still there {result.wash_out_days} days after the reward"
    return f"It is not clear that {best} keeps anybody beyond the end of its reward"


def afterwards_frame(result: Afterwards) -> pd.DataFrame:
    """Return paces, lifts and payments around the end of the reward by scheme, for reading."""
    if result.table.empty:
        return result.table
    frame = result.table.drop(columns=["p_cliff", *(["p_pulled"] if result.paid else [])])
    names = {
        "n": "members_with_control",
        "times_during": "times_as_fast_during",
        "times_after": "times_as_fast_after",
    }
    frame = frame.assign(scheme=frame["scheme"].map(plain_scheme))
    return frame.rename(columns=lambda name: with_stem(name, names))


def describe_afterwards_table(result: Afterwards) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table around the end of the reward."""
    paid = " Payments are per member assigned, above control's." if result.paid else ""
    return {
        "title": _afterwards_title(result),
        "note": f"Reward: {result.reward_days} days; wash-out: {result.wash_out_days} days after it. Paces "
        "are "
        f"of those still there, who may differ between schemes; lifts are of all who were assigned.{paid} "
        f"{result.mass * 100:g} % confidence intervals.",
    }


def trends_frame(result: Afterwards) -> pd.DataFrame:
    """Return the lines through the weekly lifts, for reading."""
    if result.trends.empty:
        return result.trends
    words = {"came": "share that comes", "paid": "payments per member"}
    named = result.trends.assign(
        scheme=result.trends["scheme"].map(plain_scheme), measure=result.trends["measure"].map(words)
    )
    names = {"first": "in_the_first_week", "last": "in_the_last_week", "per_week": "change_each_week"}
    frame: pd.DataFrame = named.rename(columns=lambda name: with_stem(name, names))
    return frame


def describe_trends(result: Afterwards) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of trends."""
    fading = result.trends[result.trends["per_week_high"] < 0]
    names = sorted({plain_scheme(scheme) for scheme in fading["scheme"]})
    return {
        "title": f"The lift of {listing(names)} wears off while the reward runs"
        if names
        else "No lift clearly wears off while the reward runs",
        "note": "A line through the weekly differences from control while the reward runs, among those still "
        f"there. {result.mass * 100:g} % confidence intervals.",
    }


# --- spent in vain ---


@register
def say_deadweight(result: Deadweight) -> str:
    """Say what part of those kept, or back, would have been so anyway, and what one more costs."""
    if result.why_empty:
        return result.why_empty
    scheme, row = result.best, result.row(result.best)
    anyway = result.read(scheme, "kept_anyway_share").scaled(100)
    said = (
        f"Of 100 members whom {plain_scheme(scheme)} {_SEEN[_aim(result)]}, {number(anyway.value, 0)} "
        f"{_ANYWAY[_aim(result)]} anyway ({bounds(anyway, 0)}). "
        f"It costs {money(row['cost'], result.currency)} a member"
    )
    paid = ""
    if "paid_anyway_share" in result.table:
        share = result.read(scheme, "paid_anyway_share").scaled(100)
        paid = (
            f" Of every 100 {result.currency} paid while the reward runs, {number(share.value, 0)} would "
            "have "
            f"been paid anyway ({bounds(share, 0)})."
        ).replace("  ", " ")
    return f"{said}{_one_more(row, result)}.{paid}"


def _one_more(row: pd.Series, result: Deadweight) -> str:
    if math.isnan(row["cost_of_one"]):
        return f", and {_NOBODY[_aim(result)]}"
    low, high = (float(row[f"cost_of_one_{end}"]) for end in ("low", "high"))
    span = (
        f"from {money(low, result.currency)} upwards, without a limit"
        if math.isnan(high)
        else f"{money(low, result.currency)} to {money(high, result.currency)}"
    )
    each = money(row["cost_of_one"], result.currency)
    more = f"{each} for each one more {_ONE_MORE[_aim(result)]}"
    return f", or {more} ({result.mass * 100:g} % confidence interval: {span})"


def deadweight_frame(result: Deadweight) -> pd.DataFrame:
    """Return costs and what they buy by scheme, for reading."""
    if result.table.empty:
        return result.table
    names = {
        "cost": "cost_per_member",
        "kept_anyway_share": "there_anyway_share",
        "more_kept_lift": "lift_in_members_there",
        "n": "members",
    }
    frame = result.table.assign(scheme=result.table["scheme"].map(plain_scheme))
    return frame.rename(columns=lambda name: with_stem(name, names))


def describe_deadweight(result: Deadweight) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of what is spent in vain."""
    costly, aim = result.table[result.table["cost"] > 0], _aim(result)
    low, high = (
        percent(ends, 0) for ends in (costly["kept_anyway_share"].min(), costly["kept_anyway_share"].max())
    )
    span = low if low == high else f"{low} to {high}"
    return {
        "title": f"{_OF_THOSE[aim]}, {span} {_ANYWAY[aim]} without a scheme that costs something",
        "note": f"Members who {result.words}: control's share over the scheme's, exact if a scheme "
        f"{_NO_HARM[aim]}. Payments: control's over the scheme's while the reward runs. An empty upper bound "
        f"of the cost of one: there may be no lift. {result.mass * 100:g} % confidence intervals.",
    }


# --- spill-over ---


@register
def say_spill_over(result: SpillOver) -> str:
    """Say whether schemes reach those whom their members brought, and what that does to the lift."""
    if result.why_empty:
        return result.why_empty
    scheme = result.scheme or str(result.table.sort_values(["p_value", "scheme"])["scheme"].iloc[0])
    row, tests = result.row(scheme), 1 if result.scheme else len(result.table)
    lift = result.read(scheme).scaled(100)
    sure = float(row["p_value"]) * tests < 1 - result.mass
    start = (
        f"Of members whom others brought, {_more(lift)} in 100 stay where the other was under "
        f"{plain_scheme(scheme)} rather than {plain_scheme(result.control)} "
        f"({either_way(lift, 1, 'more', 'fewer')})"
    )
    meaning = (
        ": the scheme reaches them too, so control is not untouched"
        if sure
        else f", the largest of {plural(tests, 'difference')}: no sure sign that a scheme reaches them too"
        if tests > 1
        else ": no sure sign that the scheme reaches them too"
    )
    return f"{start}{meaning}.{_apart(result, scheme)}"


def _apart(result: SpillOver, scheme: str) -> str:
    ways = set(result.without["counted"]) if len(result.without) else set()
    if not {"everybody", "no treated neighbour"} <= ways:
        return ""
    every, apart = (result.lift(scheme, way).scaled(100) for way in ("everybody", "no treated neighbour"))
    return (
        f" {percent(result.neighbours_share)} of the trial's members were brought by another; without those "
        f"whom a treated one brought, {plain_scheme(scheme)} keeps {number(apart.value, signed=True)} in 100 "
        f"instead of {number(every.value, signed=True)}."
    )


def spill_over_frame(result: SpillOver) -> pd.DataFrame:
    """Return who was kept of those brought by scheme of who brought them, for reading."""
    if result.table.empty:
        return result.table
    return result.table.assign(scheme=result.table["scheme"].map(plain_scheme))


def describe_spill_over(result: SpillOver) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of those brought."""
    sure = result.table["p_value"] * len(result.table) < 1 - result.mass
    names = [plain_scheme(scheme) for scheme in result.table.loc[sure, "scheme"]]
    return {
        "title": f"Schemes reach those whom their members brought: {listing(names)}"
        if names
        else "No scheme surely reaches those whom its members brought",
        "note": f"Members who {result.words}, of those brought after the other was assigned, counted from "
        "their "
        f"joining, one by one. {result.mass * 100:g} % confidence intervals.",
    }


def without_frame(result: SpillOver) -> pd.DataFrame:
    """Return every scheme's own lift by who is counted, for reading."""
    if result.without.empty:
        return result.without
    named = result.without.assign(
        scheme=result.without["scheme"].map(plain_scheme), counted=result.without["counted"].map(_COUNTED)
    )
    frame: pd.DataFrame = named.rename(columns={"n": "members"})
    return frame


def describe_without(result: SpillOver) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of lifts by who is counted."""
    wide = result.without.pivot_table(index="scheme", columns="counted", values="lift")
    moved = (wide.sub(wide["everybody"], axis=0)).abs().max().max()
    return {
        "title": f"Neighbours move no lift by more than {number(100 * moved)} members in 100",
        "note": f"Members who {result.words}. {percent(result.neighbours_share)} of members were brought by "
        f"another member of the trial. {result.mass * 100:g} % confidence intervals.",
    }


# --- compliance ---


@register
def say_compliance(result: Compliance) -> str:
    """Say what assignment does, and what being reached does to those whom it reaches."""
    if result.why_empty:
        return result.why_empty
    scheme, row = result.best, result.row(result.best)
    lift = result.read(scheme, "lift").scaled(100)
    start = (
        f"Assigning {plain_scheme(scheme)} {_BRINGS[_aim(result)]} {_more(lift)} in 100 "
        f"({either_way(lift, 1, 'more', 'fewer')})"
        if result.outcome.startswith(("kept", "back"))
        else f"Under {plain_scheme(scheme)}, {_more(lift)} in 100 {result.words} "
        f"({either_way(lift, 1, 'more', 'fewer')})"
    )
    if row["why_not"]:
        return f"{start}. {row['why_not']}"
    reached = result.read(scheme, "lift_of_reached").scaled(100)
    return (
        f"{start}; it reaches {percent(row['reached_share'], 0)} of them, and of 100 of those "
        f"{_more(reached)} ({either_way(reached, 1, 'more', 'fewer')}), if it does nothing to those whom it "
        "does not reach."
    )


def compliance_frame(result: Compliance) -> pd.DataFrame:
    """Return effects of being assigned and of being reached by scheme, for reading."""
    if result.table.empty:
        return result.table
    names = {"lift": "lift_of_assigned", "n": "members_with_control"}
    frame = result.table.assign(scheme=result.table["scheme"].map(plain_scheme))
    return frame.rename(columns=lambda name: with_stem(name, names))


def describe_compliance(result: Compliance) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of effects of being reached."""
    reached = [
        f"{percent(row['reached_share'], 0)} of {plain_scheme(row['scheme'])}"
        for _, row in result.table.iterrows()
    ]
    return {
        "title": f"Schemes reach {listing(reached)}",
        "note": f"Members who {result.words}. Reached: something of the scheme was booked for them. The "
        "effect "
        "on those reached holds if assignment does nothing to those it does not reach and keeps nobody from "
        f"being reached. {result.mass * 100:g} % confidence intervals. {count(result.table['n'].max())} "
        "members at most, with control.",
    }
