"""What could be wrong with a portrait, each check by a stated rule."""

from __future__ import annotations

from typing import Any

import pandas as pd
from scipy.stats import norm

from sojourn.core.cells import Cells
from sojourn.core.results.check import Check, Verdict
from sojourn.core.results.portrait import Portrait
from sojourn.core.text import count, day, listing, percent, plural
from sojourn.studies.portrait.span import by_day

#: Share of all events on one day, and of joiners through one channel, above which it dominates.
ONE_DAY, ONE_CHANNEL = 0.05, 0.8
#: Share of the rows of the last week that are still to come above which the check warns.
STILL_TO_COME = 0.02
#: Share of members left out for want of consent above which the check warns.
LEFT_OUT = 0.05
#: Share of members without any event above which the check warns.
NOTHING_DONE = 0.1
#: Standard errors between a share of joiners and what is planted above which the check warns.
TRUTH_REACH = 4.0
_LAST = 7


def check_portrait(cells: Cells, found: Portrait) -> list[Check]:
    """Return every check of the portrait.

    Parameters
    ----------
    cells : Cells
        Of the study ``portrait``.
    found : Portrait
        Made of them.
    """
    return [
        _every_day(cells),
        _last_days(cells),
        _one_day(cells),
        _one_channel(found),
        _order(cells),
        _nothing_done(cells),
        _consent(cells),
        _joined_before(cells),
        _small(found),
        *_lacking(cells),
        *_truth(found),
    ]


def _every_day(cells: Cells) -> Check:
    """Rule: no day without any event passes; some warn; no event at all fails."""
    name, events = "Something happens every day", by_day(cells, "events")
    if "protected" in cells.meta and (events == 0).any():
        finding = "In a private case a day with few events shows none."
        return Check(name, "cannot be judged", finding, "Missing days are looked for on the quality page.")
    empty = events.index[events == 0]
    if len(empty) == len(events):
        return Check(name, "fail", "There is no event at all.", "There is nothing to describe.")
    if len(empty) == 0:
        finding = f"All {plural(len(events), 'day')} have events, at least {count(events.min())} of them."
        return Check(name, "pass", finding, "No day is missing from the tables.")
    first = day(empty[0].date())
    finding = f"{plural(len(empty), 'day')} of {count(len(events))} without any event, the first on {first}."
    return Check(name, "warn", finding, "On these days nobody came, or nothing was recorded: ask which.")


def _last_days(cells: Cells) -> Check:
    """Rule: warns when more than 2 in 100 rows of the last week are still to come, as rows used to arrive."""
    name = "The last days are complete"
    if "late" not in cells.tables:
        finding = "When rows become known is not recorded."
        return Check(name, "warn", finding, "The last days may be too low, and nobody could see it.")
    to_come = still_to_come(cells["late"])
    finding = (
        f"{percent(_share_late(cells['late']))} of older rows became known only later; of those of the last "
        f"{_LAST} days, about {percent(to_come)} are still to come."
    )
    if "late" in cells.meta.get("truth", {}):
        finding += f" Planted: {percent(cells.meta['truth']['late'])} late."
    complete = to_come <= STILL_TO_COME
    meaning = "The last days can be read as they are." if complete else "Read nothing into a fall at the end."
    return Check(name, "pass" if complete else "warn", finding, meaning)


def still_to_come(late: pd.DataFrame) -> float:
    """Return the share of the last week's rows that are not known yet, if rows arrive as older ones did.

    Of the k-th day before ``as_of`` (k = 1 … 7) those rows are missing that take more than k days (rounded
    up), and half of those that take k: they happened at any time of the day.
    """
    total = late["rows"].sum()
    if not total:
        return 0.0
    missing = [
        (late.loc[late["days"] > k, "rows"].sum() + late.loc[late["days"] == k, "rows"].sum() / 2) / total
        for k in range(1, _LAST + 1)
    ]
    return float(sum(missing) / _LAST)


def _share_late(late: pd.DataFrame) -> float:
    return float(late.loc[late["days"] > 0, "rows"].sum() / max(late["rows"].sum(), 1))


def _one_day(cells: Cells) -> Check:
    events = by_day(cells, "events")
    share = float(events.max() / max(events.sum(), 1))
    verdict: Verdict = "warn" if share > ONE_DAY else "pass"
    finding = f"The fullest day, {day(str(events.idxmax())[:10])}, has {percent(share, 2)} of all events."
    meaning = "It shapes every picture here." if share > ONE_DAY else "No day shapes the pictures."
    return Check("No day dominates", verdict, finding, meaning)


def _one_channel(found: Portrait) -> Check:
    name = "No channel dominates"
    if found.groups.why_empty or "channel" not in found.groups.bys:
        return Check(name, "pass", "The case has no channels.", "Nothing to compare.")
    top = found.groups.of("channel").sort_values("joined_share", kind="stable").iloc[-1]
    share = float(top["joined_share"])
    finding = f"The largest, {top['group']}, brought {percent(share)} of those who joined."
    meaning = (
        "What is said of everybody is said of it." if share > ONE_CHANNEL else "No channel speaks for all."
    )
    return Check(name, "warn" if share > ONE_CHANNEL else "pass", finding, meaning)


def _order(cells: Cells) -> Check:
    early = int(cells.meta["before_joining"])
    finding = f"{plural(early, 'event')} before its member joined." if early else "There is none."
    meaning = "Dates of joining, or of events, are wrong." if early else "Dates agree with each other."
    return Check("No event before joining", "warn" if early else "pass", finding, meaning)


def _nothing_done(cells: Cells) -> Check:
    idle, members = int(cells.meta["without_events"]), int(cells.meta["members"])
    many = idle / members > NOTHING_DONE
    finding = f"{plural(idle, 'member')} of {count(members)} did nothing since observation began."
    meaning = (
        "Many have gone, never came, or are not seen."
        if many
        else "Nearly all have been seen doing something."
    )
    return Check("Members do something", "warn" if many else "pass", finding, meaning)


def _consent(cells: Cells) -> Check:
    name, read, members = "Members left out", cells.meta.get("read"), int(cells.meta["members"])
    if read is None:
        finding = "How many did not agree to analysis is not stated in the cells."
        return Check(name, "pass", finding, "They are in no number on this page.")
    gone = max(int(read) - members, 0)
    many = gone / max(int(read), 1) > LEFT_OUT
    finding = f"{plural(gone, 'member')} of {count(int(read))} did not agree to analysis, or joined later."
    meaning = "All counts are too low by them" + (", and shares may be off." if many else ".")
    return Check(name, "warn" if many else "pass", finding, meaning)


def _joined_before(cells: Cells) -> Check:
    before, members = int(cells.meta["joined_before"]), int(cells.meta["members"])
    finding = f"{plural(before, 'member')} of {count(members)} joined before observation began."
    meaning = (
        "Who had left by then is in no table, so these stay out of joiners, groups and first steps."
        if before
        else "Everybody was seen joining."
    )
    return Check("Seen from joining on", "pass", finding, meaning)


def _small(found: Portrait) -> Check:
    hidden = found.groups.too_small + found.kinds.too_small + found.messages.too_small
    finding = (
        f"{plural(hidden, 'group is', 'groups are')} too small to be shown." if hidden else "None is hidden."
    )
    return Check("Groups too small to show", "pass", finding, "What is shown stands for enough members.")


def _lacking(cells: Cells) -> list[Check]:
    missing = cells.meta["missing"]
    if not missing:
        return []
    finding = f"The case has no {listing([f'`{name}`' for name in missing], 'and no')}."
    return [
        Check("Tables and columns", "warn", finding, "The sections that need them say so, and stay empty.")
    ]


def _truth(found: Portrait) -> list[Check]:
    """Rule: every share of joiners lies within 4 standard errors of what is planted."""
    if found.groups.why_empty or "true_share" not in found.groups.table:
        return []
    rows = found.groups.table.dropna(subset=["true_share"])
    of = rows["members"] / rows["joined_share"]
    error = (rows["true_share"] * (1 - rows["true_share"]) / of) ** 0.5
    off = (rows["joined_share"] - rows["true_share"]).abs() / error
    worst: Any = rows.loc[off.idxmax()]
    far = float(off.max())
    finding = (
        f"Of {plural(len(rows), 'planted share')} of joiners, {worst['group']} is furthest off: "
        f"{percent(worst['joined_share'])} against {percent(worst['true_share'])}."
    )
    agrees = far <= TRUTH_REACH
    chance = float(1 - (1 - 2 * norm.sf(TRUTH_REACH)) ** len(rows))
    meaning = "As near as chance allows." if agrees else "More than chance explains: the tables miss members."
    source = f"normal tails for {plural(len(rows), 'share')}"
    verdict: Verdict = "pass" if agrees else "warn"
    return [Check("The known truth", verdict, finding, meaning, None, chance, source)]
