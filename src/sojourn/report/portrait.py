"""What a portrait says: the answer, key figures, sentences and what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from sojourn.core.interval import Interval
from sojourn.core.results.check import Check
from sojourn.core.results.figures import Action, KeyFigure
from sojourn.core.results.headline import Headline
from sojourn.core.results.portrait import Groups, Joiners, Portrait, Rhythm, Steps
from sojourn.core.results.portrait_doings import (
    Acquisition,
    Activity,
    Kinds,
    Messages,
    Planted,
    Purchases,
    StagesNow,
)
from sojourn.core.text import bounds, count, day, listing, money, number, percent, plural
from sojourn.report.say import register

_MOST_TREND = 60
#: Growth over the recent days, as a share of those with us, up to which a membership is steady.
STEADY = 0.02


def headline_portrait(found: Portrait, checks: Sequence[Check] = ()) -> Headline:
    """Return the answer: how many joined, how many are with us, how often and when they come.

    Parameters
    ----------
    found : Portrait
        The result.
    checks : sequence of Check
        A failed one blocks the answer.
    """
    blocked = [check.name for check in checks if check.blocks]
    joined = f"{plural(found.joined, 'member')} joined since {_begun(found)}"
    there = f" and {count(found.with_us)} are with us now" if found.leaving_known else ""
    often = "" if found.activity.why_empty else f"on {_days(found.activity)} on average"
    when = "" if found.rhythm.why_empty else f"most often {_when(found.rhythm)}"
    coming = ", ".join(filter(None, (often, when)))
    return Headline(
        sentence=f"{joined}{there}{f'; they come {coming}' if coming else ''}.",
        verdict="cannot be relied on" if blocked else _verdict(found),
        status="blocked" if blocked else "ok",
        detail=" ".join(filter(None, (_blocked(blocked), _growth(found)))),
    )


def _begun(found: Portrait) -> str:
    return day(str(found.meta["observed_from"]), str(found.meta["time_zone"]))


def _days(activity: Activity) -> str:
    return f"{number(activity.mean)} of {plural(activity.last, 'day')}"


def _when(rhythm: Rhythm) -> str:
    return (
        f"on {rhythm.by_weekday.idxmax()}s and {hours(rhythm.peaks[:1] or (int(rhythm.by_hour.idxmax()),))}"
    )


def hours(starts: Sequence[int]) -> str:
    """Say in which hours something happens.

    Examples
    --------
    >>> hours([18]), hours([18, 9]), hours([23])
    ('between 18 and 19 h', 'between 18 and 19 h and between 9 and 10 h', 'between 23 and 24 h')
    """
    return listing([f"between {start} and {start + 1} h" for start in starts])


def _verdict(found: Portrait) -> str:
    if not found.leaving_known:
        return "described"
    share = found.growth / max(found.with_us, 1)
    return "steady" if abs(share) <= STEADY else "growing" if share > 0 else "shrinking"


def _blocked(names: Sequence[str]) -> str:
    return f"Not to be relied on, because of: {listing(list(names)).lower()}." if names else ""


def _growth(found: Portrait) -> str:
    recent = found.recent
    if not found.leaving_known:
        joined = count(recent["joined"]) if recent["joined"] else "nobody"
        return f"In the last {recent['days']} days {joined} joined. Who left is not recorded."
    back = f" and {count(recent['returned'])} came back" if recent["returned"] else ""
    word = "more" if found.growth >= 0 else "fewer"
    moved = f"{count(recent['joined'])} joined, {count(recent['left'])} left{back}"
    return f"In the last {recent['days']} days {moved}: {plural(abs(found.growth), 'member')} {word}."


def key_figures_portrait(found: Portrait) -> list[KeyFigure]:
    """Return the strip: joiners, who is with us, days of coming, first steps, what is paid."""
    figures = [_joined_figure(found)]
    if found.leaving_known:
        shown = f"of {plural(found.members, 'member')} ever seen; a count has no interval"
        figures.append(KeyFigure("Members with us", count(found.with_us), shown))
    if not found.activity.why_empty:
        idle = f"of the last {found.activity.last}; {percent(found.activity.none, 0)} did not come"
        value = number(found.activity.mean)
        figures.append(
            KeyFigure(
                "Days on which a member comes",
                value,
                f"{idle}; trend: members a day",
                found.weekly[-_MOST_TREND:],
            )
        )
    if not found.steps.why_empty:
        step, within = found.steps.steps[0], plural(found.steps.follow_days, "day")
        reached, label = found.steps.reached(step), f"Have a {step} within {within}"
        figures.append(KeyFigure(label, percent(reached.value), bounds(reached.scaled(100))))
    if not found.purchases.why_empty:
        paid = found.purchases.money
        value = money(paid["amount"] / paid["purchases"], found.purchases.currency)
        shown = f"mean of {plural(paid['purchases'], 'purchase')} by {plural(paid['payers'], 'member')}"
        figures.append(KeyFigure("Mean purchase", value, shown))
    return figures


def _joined_figure(found: Portrait) -> KeyFigure:
    trend = (
        [] if found.joiners.why_empty else found.joiners.table["members"].fillna(0).tolist()[-_MOST_TREND:]
    )
    usual = "" if found.joiners.why_empty else f"{count(found.joiners.usual)} in a usual week; trend: by week"
    return KeyFigure(
        f"Joined since {_begun(found)}", count(found.joined), usual or "a count has no interval", trend
    )


def next_steps_portrait(found: Portrait) -> list[Action]:
    """Return what to look at next: who stays, which scheme, which groups."""
    first = "" if found.steps.why_empty else _without_step(found.steps)
    idle = "" if found.activity.why_empty else f"{percent(found.activity.none, 0)} did not come at all lately"
    kinds = len(found.kinds.table)
    return [
        Action(
            "Ask who stays, and when members are lost (page “Who stays, and for how long?”).",
            first or "not known",
            "minutes: the page is made of the same tables",
            "observational: what are their first steps?",
        ),
        Action(
            "Try what brings more members to a first value moment in a trial with a control group "
            "(page “Which scheme?”).",
            "not known: only a trial can tell",
            "the incentive, and a random part that gets none",
            "none: nothing on this page was assigned by lot",
        ),
        Action(
            "Look for groups before writing to everybody alike (page “Which groups?”).",
            f"{plural(kinds, 'kind of event', 'kinds of events')} to tell members apart by"
            + (f"; {idle}" if idle else ""),
            "minutes",
            "observational: what do they do, and how often?",
        ),
    ]


def _without_step(steps: Steps) -> str:
    step, within = steps.steps[0], plural(steps.follow_days, "day")
    return f"{percent(1 - steps.reached(step).value)} of new members have no {step} within {within}"


@register
def say_joiners(part: Joiners) -> str:
    """Say how many join in a usual week, and in the fullest."""
    if part.why_empty:
        return part.why_empty
    week, most = part.most
    return (
        f"In a usual week {count(part.usual)} members join; most, {count(most)}, in the week of {day(week)}."
    )


@register
def say_groups(part: Groups) -> str:
    """Say which group is the largest of each grouping."""
    if part.why_empty:
        return part.why_empty
    largest = [part.of(by).sort_values("joined_share", kind="stable").iloc[-1] for by in part.bys]
    said = [
        f"{row['by'].replace('_', ' ')} {row['group']} ({percent(row['joined_share'])})" for row in largest
    ]
    return f"The largest groups: {listing(said)}."


@register
def say_rhythm(part: Rhythm) -> str:
    """Say on which day and in which hours most visits begin."""
    if part.why_empty:
        return part.why_empty
    top, low = part.by_weekday.idxmax(), part.by_weekday.idxmin()
    peaks = f"; the peaks of the day lie {hours(part.peaks)}" if part.peaks else ""
    return (
        f"Most visits begin on {top}s ({percent(part.by_weekday.max())}), fewest on {low}s "
        f"({percent(part.by_weekday.min())}){peaks}."
    )


@register
def say_steps(part: Steps) -> str:
    """Say how many reach each step within the days followed."""
    if part.why_empty:
        return part.why_empty
    said = [f"{_share(part.reached(step))} have their {step}" for step in part.steps]
    return f"Within {plural(part.follow_days, 'day')} of joining {listing(said)}."


def _share(reached: Interval) -> str:
    return f"{percent(reached.value)} ({bounds(reached.scaled(100))})"


@register
def say_kinds(part: Kinds) -> str:
    """Say what is done most."""
    if part.why_empty:
        return part.why_empty
    top, wide = part.table.iloc[0], part.table.sort_values("members", kind="stable").iloc[-1]
    widest = f"most members ever did {wide['event']} ({percent(wide['share_of_members'], 0)})"
    return f"The commonest event is {top['event']} ({count(top['events'])} times); {widest}."


@register
def say_activity(part: Activity) -> str:
    """Say on how many days members came."""
    if part.why_empty:
        return part.why_empty
    none = f"{percent(part.none)} did not come in the last {plural(part.last, 'day')}"
    return (
        f"Of {plural(part.members, 'member')} with us, {none}; on average they came on {number(part.mean)} "
        f"days, half of them on {count(part.median)} or fewer."
    )


@register
def say_stages(part: StagesNow) -> str:
    """Say at which stages members are."""
    said = [f"{row['stage']} {percent(row['share_of_members'], 0)}" for _, row in part.table.iterrows()]
    return f"Of {plural(part.members, 'member')}: {listing(said)}."


@register
def say_purchases(part: Purchases) -> str:
    """Say how many bought, for how much, and what was refunded."""
    if part.why_empty:
        return part.why_empty
    paid = part.money
    mean = money(paid["amount"] / paid["purchases"], part.currency)
    back = percent(paid["refunds"] / paid["purchases"])
    return (
        f"{percent(paid['payers'] / part.members)} of members have bought, {mean} at a time on average; "
        f"{back} of purchases were refunded."
    )


@register
def say_messages(part: Messages) -> str:
    """Say what is sent most, and what is opened most."""
    if part.why_empty:
        return part.why_empty
    top = part.table.iloc[0]
    sent = f"{count(part.table['sent'].sum())} messages were sent, most by {top['channel']}"
    if "share_opened" not in part.table:
        return f"{sent}."
    best = part.table.sort_values("share_opened", kind="stable").iloc[-1]
    return f"{sent}; {best['channel']} is opened most ({percent(best['share_opened'], 0)})."


@register
def say_acquisition(part: Acquisition) -> str:
    """Say which channel is dearest and which cheapest."""
    if part.why_empty:
        return part.why_empty
    dear, cheap = part.table.iloc[0], part.table.iloc[-1]
    said = f"A new member through {dear['channel']} costs {money(dear['cost_each'], part.currency)}"
    if len(part.table) == 1:
        return f"{said}."
    return f"{said}, through {cheap['channel']} {money(cheap['cost_each'], part.currency)}."


@register
def say_planted(part: Planted) -> str:
    """Say how much is planted, or that nobody knows."""
    if part.why_empty:
        return part.why_empty
    effects, segments = (
        plural(len(t), word) for t, word in ((part.table, "effect"), (part.segments, "segment"))
    )
    return f"{effects} and {segments} are planted in this world."
