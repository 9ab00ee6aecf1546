"""Ways in which one number of membership is defined: dimensions, each with named options, ours first.

What a case offers depends on its columns, so `dimensions` is told what there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

from sojourn.core.results.reconcile import FOLLOWED, Definition, Dimension, Kind, Option, Unit

#: Most differences that a definition may have from ours.
MOST_CHANGES = 2

#: Rules of retention under which members end, so that following them only for a while can be allowed for.
ENDING = ("not_cancelled", "silence", "last_sign")
#: What the words of rules end with that later events change.
LOOKS_AHEAD = ", which looks ahead: later events change it"
_LENGTH = {"day": "24-hour periods", "week": "7-day periods", "month": "30-day periods"}


@dataclass(frozen=True, slots=True)
class Offered:
    """What a case can be counted by.

    Attributes
    ----------
    zones : sequence of str
        Time zones; the case's own first.
    kinds : sequence of str
        Kinds of events that count each by itself.
    events, paid, recorded, old, ends : bool
        Whether there are events, events with an amount, times of recording, members who joined before
        observation began, and instants of leaving.
    silence_days : int
        Length of a silence that counts as leaving.
    """

    zones: Sequence[str] = ("UTC",)
    kinds: Sequence[str] = ()
    events: bool = True
    paid: bool = False
    recorded: bool = False
    old: bool = False
    ends: bool = True
    silence_days: int = 30


def dimensions(kind: Kind, unit: Unit, offered: Offered) -> tuple[Dimension, ...]:
    """Return in what definitions of a number may differ, each with our own option first.

    Parameters
    ----------
    kind, unit : str
        Of the number.
    offered : Offered
        What the case can be counted by.
    """
    zone = _dimension("zone", *((name, f"count {unit or 'day'}s in {name}") for name in offered.zones))
    if kind in FOLLOWED:
        found = [zone, *_of_retention(unit, offered), *_of_events(offered)]
    elif kind in ("active_members", "stickiness"):
        found = [zone, *_windows(unit), *_of_events(offered)]
    elif kind == "events":
        repeats = _dimension(
            "repeats", ("in", "count repeated rows each"), ("out", "count repeated rows once")
        )
        found = [zone, *_windows(unit), *_of_events(offered), repeats]
    else:
        found = [zone, *_of_membership(kind, offered)]
    everybody = _members(offered, without_old=kind in FOLLOWED)
    return tuple(dimension for dimension in [*found, *everybody] if len(dimension.options) > 1)


def definitions(found: Sequence[Dimension], *, most: int = MOST_CHANGES) -> list[Definition]:
    """Return our own definition and all with up to so many differences from it, the nearest first."""
    made = [Definition()]
    for size in range(1, most + 1):
        for chosen in combinations(found, size):
            for options in product(*(dimension.options[1:] for dimension in chosen)):
                changes = tuple((d.name, o.name) for d, o in zip(chosen, options, strict=True))
                made.append(Definition(changes, tuple(option.words for option in options)))
    return [definition for definition in made if _makes_sense(dict(definition.changes))]


def _makes_sense(changes: dict[str, str]) -> bool:
    """Whether differences go together: rules that end have no events of their own; only they are censored."""
    rule = changes.get("rule", "on")
    if changes.get("maturity") == "censored" and rule not in ENDING:
        return False
    if rule in ENDING and {"selection", "known", "numbering"} & set(changes):
        return False
    return not (rule in ("silence", "last_sign") and "clock" in changes)


def _dimension(name: str, *options: tuple[str, str]) -> Dimension:
    return Dimension(name, tuple(Option(*option) for option in options))


def _of_retention(unit: Unit, offered: Offered) -> list[Dimension]:
    rules = [("on", f"count members seen in that {unit}")]
    if offered.events:
        rules += [
            ("on_or_after", f"count members seen in that {unit} or any later one{LOOKS_AHEAD}"),
            ("within", f"count members seen at any time from the {unit} after joining up to that {unit}"),
        ]
        if unit == "day":
            rules.append(("bracket", "count members seen in the seven days from that day on"))
    if offered.ends:
        rules.append(("not_cancelled", "count members who had not cancelled"))
    if offered.events and unit == "day":
        days = offered.silence_days
        rules += [
            ("silence", f"count members without a silence longer than {days} days so far"),
            (
                "last_sign",
                f"count members as there until the last event they ever had{LOOKS_AHEAD}",
            ),
        ]
    rules = rules if offered.events else rules[1:]
    return [
        _dimension("rule", *rules),
        _dimension("clock", ("calendar", ""), ("elapsed", f"count {_LENGTH[unit]} from the hour of joining")),
        _dimension("numbering", ("zero", ""), ("one", f"call the {unit} of joining {unit} 1 instead of 0")),
        _dimension(
            "maturity",
            ("followed", ""),
            ("everybody", "leave in members who could not be followed long enough"),
            ("censored", "count members for as long as they were followed (Kaplan-Meier)"),
        ),
        _dimension(
            "denominator",
            ("all", ""),
            *([("ever", "leave out members who never did anything")] if offered.events else []),
            *([("stayed", "leave out members who left on the day they joined")] if offered.ends else []),
        ),
    ]


def _windows(unit: Unit) -> list[Dimension]:
    if unit == "month":
        return [
            _dimension(
                "window",
                ("calendar", ""),
                ("trailing_30", "count the 30 days up to the end of the month"),
                ("trailing_28", "count the 28 days up to the end of the month"),
            )
        ]
    if unit == "week":
        return [
            _dimension("window", ("calendar", ""), ("sunday", "count weeks that begin on the Sunday before"))
        ]
    return []


def _of_events(offered: Offered) -> list[Dimension]:
    selections = [("any", "count every event")]
    selections += [("paid", "count purchases only")] if offered.paid else []
    selections += [(f"kind:{kind}", f"count only events of the kind '{kind}'") for kind in offered.kinds]
    known = [
        ("now", ""),
        ("then", "count what was known at the time, without rows recorded later"),
    ]
    return [
        _dimension("selection", *selections),
        _dimension("known", *(known if offered.recorded else known[:1])),
    ]


def _of_membership(kind: Kind, offered: Offered) -> list[Dimension]:
    found = [_dimension("denominator", ("all", ""), ("ever", "leave out members who never did anything"))]
    if offered.ends:
        stayed = Option("stayed", "leave out members who left on the day they joined")
        found = [Dimension("denominator", (*found[0].options[: 2 if offered.events else 1], stayed))]
    if kind == "new_members" and offered.events:
        found.append(_dimension("start", ("joined", ""), ("first_event", "date joining by the first event")))
    if kind == "members":
        found.append(
            _dimension("moment", ("end", ""), ("start", "count at the start of the day instead of its end"))
        )
    if kind == "churn_rate":
        found += [
            _dimension(
                "base",
                ("start", ""),
                ("average", "divide by the mean of members at the start and at the end"),
                ("end", "divide by the members at the end"),
                ("start_and_new", "divide by the members at the start and those who joined since"),
            ),
            _dimension(
                "leavers",
                ("all", ""),
                ("of_start", "count only those leavers who were members at the start"),
            ),
        ]
    return found


def _members(offered: Offered, *, without_old: bool) -> list[Dimension]:
    bots = _dimension("bots", ("in", ""), ("out", "leave out bots"))
    old = [
        ("out", "leave out members who joined before observation began"),
        ("in", "count members who joined before observation began"),
    ]
    chosen = old if without_old else old[::-1]
    found = [bots] if offered.events else []
    return [*found, *([_dimension("old", *chosen)] if offered.old else [])]
