"""What is said of outcomes beyond shares and values: staying, coming, ratios and guardrails."""

from __future__ import annotations

import math

import pandas as pd

from sojourn.core.interval import Interval
from sojourn.core.results.trial_outcomes import CountedActivity, Guardrails, Lasting, RatioResult
from sojourn.core.results.trials import plain_scheme
from sojourn.core.text import begun, bounds, count, in_words, listing, number, percent
from sojourn.report.say import register
from sojourn.report.trial_tables import with_stem
from sojourn.report.trials import either_way

# --- how long members stay ---


@register
def say_lasting(result: Lasting) -> str:
    """Say how much longer members stay under every scheme, and how many were not followed to the end."""
    if result.why_empty:
        return result.why_empty
    best, control = result.best, plain_scheme(result.control)
    days, lift = result.read(best, "more_days"), result.read(best, "lift").scaled(100)
    more, less = ("earlier", "later") if result.wins_back else ("longer", "shorter")
    said = (
        f"Within {result.horizon} days of assignment, members {_longer(days, result)} under "
        f"{plain_scheme(best)} than under {control} ({either_way(days, 1, more, less)}); "
        f"at the end {_more_in_100(lift)} {'have come back' if result.wins_back else 'are still with us'} "
        f"({either_way(lift, 1, 'more', 'fewer')})."
    )
    others = [
        f"{plain_scheme(scheme)} {number(result.read(scheme, 'more_days').value, signed=True)}"
        for scheme in result.schemes[1:]
        if scheme != best
    ]
    gain = "earlier or later" if result.wins_back else "more or less"
    rest = f" Days {gain} under the others: {listing(others)}." if others else ""
    never = f" Who has not come back counts up to day {result.horizon}." if result.wins_back else ""
    return f"{said}{rest}{never} {_young(result)}"


def describe_lasting(result: Lasting) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the curves with their differences."""
    best, control = plain_scheme(result.best), plain_scheme(result.control)
    truth = " Circles are the truth of the simulated world." if result.truth else ""
    subtitle = (
        f"Share of {count(result.table['n'].sum())} members {_there(result)}, by days since assignment, and "
        f"the difference from {control} underneath{_over_strata(result.strata)}. Bands: "
        f"{result.mass * 100:g} % credible intervals, day by day, of {control} and {best}.{truth} "
        f"{_young(result)}"
    )
    kept = [
        f"{number(100 * result.read(scheme, 'kept_share').value)} under {plain_scheme(scheme)}"
        for scheme in result.schemes
    ]
    curves, do = ("Rising", "have come back") if result.wins_back else ("Falling", "stay")
    alt = (
        f"{curves} curves, one per scheme; after {result.horizon} days, of 100 members {listing(kept)} {do}."
    )
    return {"title": _lasting_title(result), "subtitle": subtitle, "alt": alt}


def lasting_frame(result: Lasting) -> pd.DataFrame:
    """Return counts, shares kept and mean days by scheme, for reading."""
    if result.table.empty:
        return result.table
    named = result.table.assign(scheme=result.table["scheme"].map(plain_scheme))
    names = {"n": "members", "censored": "not_followed_to_the_end_members", "lift": "lift_in_kept_share"}
    if result.wins_back:
        back = {"kept_share": "back_share", "churned": "came_back", "lift": "lift_in_back_share"}
        names |= back | {"days": "days_since_then", "p_longer": "p_earlier"}
    frame: pd.DataFrame = named.drop(columns="at_risk").rename(columns=lambda name: with_stem(name, names))
    return frame


def describe_lasting_table(result: Lasting) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of the time with us."""
    return {
        "title": _lasting_title(result),
        "note": f"Mean days {'since coming back' if result.wins_back else 'with us'} within "
        f"{result.horizon} days of assignment. {result.mass * 100:g} % credible intervals. The belief "
        f"beforehand (at a constant pace, {percent(result.believed, 0)} still "
        f"{'away' if result.wins_back else 'there'} at the end) weighs as much as "
        f"{number(result.weight, 0 if result.weight == 1 else 2)} member of a scheme. {_young(result)}",
    }


def _lasting_title(result: Lasting) -> str:
    days, control = result.read(result.best, "more_days"), plain_scheme(result.control)
    when = f"within {result.horizon} days"
    later, longer = (
        ("come back later", "come back earlier")
        if result.wins_back
        else ("stay for a shorter time", "stay longer")
    )
    if days.low > 0:
        return (
            f"Under {plain_scheme(result.best)} members {_longer(days, result)} {when} than under {control}"
        )
    if days.high < 0:
        return f"Under every scheme members {later} {when} than under {control}"
    return f"It is not clear that members {longer} {when} under any scheme than under {control}"


def _longer(days: Interval, result: Lasting) -> str:
    """Return by how many days members stay longer or come back earlier; who never does counts to the end."""
    do, more, less = ("come back", "earlier", "later") if result.wins_back else ("stay", "longer", "less")
    average = " on average" if result.wins_back else ""
    return f"{do} {number(abs(days.value))} days {more if days.value >= 0 else less}{average}"


def _there(result: Lasting) -> str:
    return "who have come back" if result.wins_back else "still with us"


def _more_in_100(lift: Interval) -> str:
    return f"{number(abs(lift.value))} {'more' if lift.value >= 0 else 'fewer'} in 100"


def _young(result: Lasting) -> str:
    """Say how many are not followed to the end, and what they count for."""
    if not result.immature:
        done = "coming back" if result.wins_back else "leaving"
        return f"All members were followed for {result.horizon} days or to their {done}."
    return (
        f"{count(result.immature)} members have not been followed for {result.horizon} days yet; "
        "each counts for as long as it was seen."
    )


# --- how often members come ---


@register
def say_counted(result: CountedActivity) -> str:
    """Say on how many more days members come under the best scheme, and what that rests on."""
    if result.why_empty:
        return result.why_empty
    best, control = result.best, plain_scheme(result.control)
    more, times = result.read(best, "more"), result.read(best, "times")
    mean = result.read(result.control, "mean")
    return (
        f"Under {plain_scheme(best)} members come on {number(abs(more.value), 2)} {_or_fewer(more)} days "
        f"within {result.horizon} than under {control} ({either_way(more, 2, 'more', 'fewer')})"
        f"{_times(times, 'many')}. Under {control} it is "
        f"{in_words(mean, 'days', 2)}. {_law(result)}"
    )


def describe_counted(result: CountedActivity) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of differences."""
    subtitle = (
        f"Difference from {plain_scheme(result.control)} in days with an event per member within "
        f"{result.horizon} days of assignment; {count(result.table['n'].sum())} members followed for all of "
        f"them. Bars: {result.mass * 100:g} % credible intervals. {_law(result)}"
    )
    return {"title": _counted_title(result), "subtitle": subtitle, "alt": say_counted(result)}


def describe_histogram(result: CountedActivity) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of the counts themselves."""
    fits = result.law != "none"
    title = (
        "Days with an event are spread as a negative binomial says"
        if fits
        else "Days with an event are not spread as a negative binomial says, so it is not used"
    )
    subtitle = (
        f"Share of members by number of days with an event within {result.horizon} days of assignment. "
        f"Lines: as counted, under {plain_scheme(result.best)} and {plain_scheme(result.control)}. "
        "Dashes: as the fitted negative binomial expects."
    )
    own = result.histogram[result.histogram["scheme"] == result.control]
    none = float(own.loc[own["count"] == 0, "n"].sum() / own["n"].sum())
    expected = float(own.loc[own["count"] == 0, "expected"].sum() / own["n"].sum())
    alt = (
        f"Two falling histograms. Under {plain_scheme(result.control)}, {percent(none)} of members came on "
        f"no day; the law expects {percent(expected)}."
    )
    return {"title": title, "subtitle": subtitle, "alt": alt}


def counted_frame(result: CountedActivity) -> pd.DataFrame:
    """Return means, differences and ratios of activity by scheme, for reading."""
    if result.table.empty:
        return result.table
    named = result.table.assign(scheme=result.table["scheme"].map(plain_scheme))
    frame: pd.DataFrame = named.rename(columns={"n": "members"})
    return frame


def describe_counted_table(result: CountedActivity) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of activity."""
    return {
        "title": _counted_title(result),
        "note": f"Days with an event per member within {result.horizon} days of assignment. "
        f"{result.mass * 100:g} % credible intervals. {_law(result)}",
    }


def _counted_title(result: CountedActivity) -> str:
    more, control = result.read(result.best, "more"), plain_scheme(result.control)
    if more.low > 0:
        best = plain_scheme(result.best)
        return f"Under {best} members come on {number(more.value, 2)} more days than under {control}"
    if more.high < 0:
        return f"Under every scheme members come on fewer days than under {control}"
    return f"It is not clear that members come more often under any scheme than under {control}"


def _law(result: CountedActivity) -> str:
    if result.law == "none":
        return "A negative binomial does not fit the counts, so no law is assumed."
    return f"Counts are taken as a {result.law}, which fits."


# --- ratios ---


@register
def say_ratio(result: RatioResult) -> str:
    """Say how a ratio differs from control under the best scheme."""
    if result.why_empty:
        return result.why_empty
    best, control = result.best, plain_scheme(result.control)
    more, times = result.read(best, "more"), result.read(best, "times")
    level, size = result.read(result.control, "ratio"), number(abs(more.value), 3)
    return (
        f"{begun(result.words)}: {size} {'more' if more.value >= 0 else 'less'} under "
        f"{plain_scheme(best)} than under {control} ({either_way(more, 3, 'more', 'less')})"
        f"{_times(times, 'much')}. "
        f"Under {control} it is {in_words(level, '', 3)}."
    )


def describe_ratio(result: RatioResult) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of a ratio's differences."""
    subtitle = (
        f"{begun(result.words)}: difference from {plain_scheme(result.control)}; "
        f"{count(result.table['n'].sum())} members. Bars: {result.mass * 100:g} % credible intervals."
    )
    return {"title": _ratio_title(result), "subtitle": subtitle, "alt": say_ratio(result)}


def ratio_frame(result: RatioResult) -> pd.DataFrame:
    """Return both parts, the ratio and its difference by scheme, for reading."""
    if result.table.empty:
        return result.table
    named = result.table.assign(scheme=result.table["scheme"].map(plain_scheme)).drop(columns="bottom_se")
    names = {"n": "members", "top": "mean_above_the_line", "bottom": "mean_below_the_line"}
    frame: pd.DataFrame = named.rename(columns=names)
    return frame


def describe_ratio_table(result: RatioResult) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of a ratio."""
    return {
        "title": _ratio_title(result),
        "note": f"{begun(result.words)}: the ratio of both means, not the mean of members' ratios. "
        f"{result.mass * 100:g} % credible intervals.",
    }


def _ratio_title(result: RatioResult) -> str:
    more, control = result.read(result.best, "more"), plain_scheme(result.control)
    if more.low > 0:
        return (
            f"Under {plain_scheme(result.best)}: {number(more.value, 2)} more {result.words} than {control}"
        )
    if more.high < 0:
        return f"Every scheme has less {result.words} than {control}"
    return f"It is not clear that any scheme has more {result.words} than {control}"


# --- guardrails ---


@register
def say_guardrails(result: Guardrails) -> str:
    """Say which schemes break which guardrail."""
    if result.why_empty:
        return result.why_empty
    broken = result.table[result.table["verdict"] == "broken"]
    if broken.empty:
        words = listing(sorted(set(result.table["words"])))
        return f"Guardrails hold under every scheme: members who {words}."
    said = [
        f"under {plain_scheme(row['scheme'])}, members who {row['words']} (a chance of "
        f"{percent(row['p_harm'])} of {number(100 * row['margin_share'])} {row['bad']} in 100 or worse)"
        for _, row in broken.iterrows()
    ]
    return f"Guardrails broken: {listing(said)}."


def guardrails_frame(result: Guardrails) -> pd.DataFrame:
    """Return guarded outcomes by scheme, for reading."""
    if result.table.empty:
        return result.table
    return result.table.assign(
        scheme=result.table["scheme"].map(plain_scheme), outcome="members who " + result.table["words"]
    ).drop(columns="words")


def describe_guardrails(result: Guardrails) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of guardrails."""
    broken = sorted(set(result.table.loc[result.table["verdict"] == "broken", "scheme"]))
    title = (
        f"Guardrails are broken under {listing([plain_scheme(scheme) for scheme in broken])}"
        if broken
        else "Every scheme holds every guardrail"
    )
    return {
        "title": title,
        "note": f"A guardrail is broken when it is worse by more than its margin with more than "
        f"{percent(result.risk, 0)}. {result.mass * 100:g} % credible intervals of the difference from "
        f"{plain_scheme(result.control)}.",
    }


# --- words that these have in common ---


def _times(times: Interval, much: str) -> str:
    """Return a ratio to control in words; nothing where control may be 0."""
    if math.isnan(times.value):
        return ""
    return f", {number(times.value, 3)} times as {much} ({bounds(times, 3)})"


def _or_fewer(more: Interval) -> str:
    return "more" if more.value >= 0 else "fewer"


def _over_strata(strata: tuple[str, ...]) -> str:
    return f", averaged over {len(strata)} strata" if len(strata) > 1 else ""
