"""Rules on values: members with absurdly many events, absurd amounts, names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from sojourn.core.legible import short_name
from sojourn.core.text import count, plural
from sojourn.data.checks import categories
from sojourn.data.checks.categories import Name
from sojourn.data.checks.finding import Finding
from sojourn.data.checks.judged import Judged
from sojourn.data.checks.tails import limit
from sojourn.data.checks.tallies import Amounts
from sojourn.data.rules import Level

#: So many times the 95th percentile of members' events, or of amounts, is never absurd.
OF_EVENTS, OF_AMOUNTS = 10, 100

# what is odd of a name, and what to do
_NOTHING = ("a word for nothing", "Leave the field empty.")
_SPELT = (
    "a name that differs from another by case, blanks or form of characters only",
    "Write each name in one way.",
)
_UNDECLARED = ("a name that `known_values` does not have", "Add it to `known_values`, or correct the rows.")
_RARE = ("a name that hardly any row has", "See whether it is a test or a mistake.")
_FRESH = ("a name of the last two weeks only", "See whether it is new, or an old one renamed.")


def bots(judged: Judged) -> Iterator[Finding]:
    """Say how many members have more events than people make, on one day or in all."""
    yield from _too_many(judged, "busiest", "on one day")
    yield from _too_many(judged, "total", "in all")


def _too_many(judged: Judged, which: str, when: str) -> Iterator[Finding]:
    histogram: Counter[float] = Counter()
    for member in judged.tallies.members:
        histogram[getattr(member, which)] += member.members
    most = limit(histogram, least=OF_EVENTS)
    beyond = [m for m in judged.tallies.members if most is not None and getattr(m, which) > most]
    if beyond and most is not None:
        members = plural(sum(m.members for m in beyond), "member")
        what = f"of {members} with more than {count(round(most))} {when}"
        hint = "Hardly a person: see whether it is a program or a shared account, and leave it out."
        yield judged.warning("member_id", what, hint, sum(m.total * m.members for m in beyond))


def amounts(judged: Judged) -> Iterator[Finding]:
    """Say which amounts are absurd; of events also how many are negative or zero."""
    for (column, kind), found in judged.tallies.amounts.items():
        of = f" of '{short_name(kind)}'" if kind and not judged.settings.private else ""
        yield from _absurd(judged, column, of, found)
        if judged.name == "events" and found.negative:
            hint = "They count as money given back."
            yield judged.note(column, f"a negative amount{of}", hint, found.negative)
        if judged.name == "events" and found.zero:
            hint = "They count as events without payment."
            yield judged.note(column, f"an amount of zero{of}", hint, found.zero)


def _absurd(judged: Judged, column: str, of: str, found: Amounts) -> Iterator[Finding]:
    most = limit(found.histogram, least=OF_AMOUNTS)
    beyond = sum(n for size, n in found.histogram.items() if most is not None and size > most)
    if beyond and most is not None:
        hint = "Such rows decide sums and means alone; correct them."
        yield judged.warning(column, f"an absurd amount{of}, above {most:,.2f}", hint, beyond)


def names(judged: Judged) -> Iterator[Finding]:
    """Judge the names in each column of categories."""
    for column, found in judged.tallies.names.items():
        nothing = [name for name in found if categories.is_nothing(name.text, column)]
        other = [name for name in found if name not in nothing]
        spelt = categories.respelt(other)
        yield from _say(judged, "warning", column, nothing, *_NOTHING)
        yield from _say(judged, "warning", column, spelt, *_SPELT)
        yield from _new_names(judged, column, [name for name in other if name not in spelt])


def _new_names(judged: Judged, column: str, found: Sequence[Name]) -> Iterator[Finding]:
    """Say which names the case has not declared, or, where it declares none, are rare or new."""
    declared = judged.settings.known_values.get(judged.name, {}).get(column)
    if declared is not None:
        yield from _say(judged, "warning", column, categories.undeclared(found, declared), *_UNDECLARED)
        return
    rare = categories.rare(found, judged.kept)
    days = judged.rows_by_day
    fresh = [name for name in categories.fresh(found, judged.kept, min(days), max(days)) if name not in rare]
    yield from _say(judged, "note", column, rare, *_RARE)
    yield from _say(judged, "note", column, fresh, *_FRESH)


def _say(judged: Judged, level: Level, column: str, found: Sequence[Name], *said: str) -> Iterator[Finding]:
    if found:
        what, hint = said
        rows = sum(name.rows for name in found)
        yield judged.finding(level, column, f"{what}{judged.named(found)}", hint, rows)
