"""Rules on the days of a table: clocks that started anew, and, of events, gaps, drops and the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from sojourn.data.checks.clocks import reset_days
from sojourn.data.checks.days import Counts, Run, drops, end, expected, gaps, span
from sojourn.data.checks.finding import Finding
from sojourn.data.checks.judged import EXAMPLES, Judged
from sojourn.data.localtime import Clock


def reset_clocks(judged: Judged) -> Iterator[Finding]:
    """Say which rows lie at an instant at which clocks start anew."""
    rows = judged.rows_by_day
    odd = reset_days(rows)
    if odd:
        what = f"at an instant at which clocks start anew ({', '.join(map(str, odd))})"
        hint = "They are kept, and `observed_from` does not follow from them; correct the times."
        yield judged.warning(judged.time, what, hint, sum(rows[day] for day in odd))


def uneven_days(judged: Judged) -> Iterator[Finding]:
    """Judge the days of `events`, whose rows come by themselves and every day."""
    if judged.name != "events":
        return
    odd = reset_days(judged.rows_by_day)
    rows, members = (
        {day: n for day, n in counts.items() if day not in odd}
        for counts in (judged.rows_by_day, judged.members_by_day)
    )
    last, inside = _last_whole_day(judged)
    if min(rows) < last:
        logged = span(rows, last)
        yield from _of_members(judged, rows, members, logged)
        yield from _of_the_end(judged, rows, logged)
    today = last + timedelta(days=1)
    if inside and today in rows:
        what, hint = f"of {today}, which is not over at `as_of`", "That day counts up to `as_of` only."
        yield judged.note(judged.time, what, hint, rows[today])


def _of_members(judged: Judged, rows: Counts, members: Counts, logged: list[date]) -> Iterator[Finding]:
    """Judge days by their members, whom lots describe better than rows, of which one member makes many."""
    empty = gaps(members, logged)
    if empty:
        hint = "So many rows are missing if these days were usual ones; export them again."
        yield judged.warning(judged.time, f"no rows on {_told(empty)}", hint, _usual(rows, empty, logged))
    low = drops(members, logged)
    if low:
        what, hint = f"less than half of the usual members on {_told(low)}", "See whether rows are missing."
        yield judged.warning(judged.time, what, hint, _usual(rows, low, logged))


def _of_the_end(judged: Judged, rows: Counts, logged: list[date]) -> Iterator[Finding]:
    cut = end(rows, logged)
    if cut is not None:
        what = f"of {cut}, the last day, which looks cut off (usual are {round(cut.usual):,})"
        hint = "Export it again when it is complete, or set `as_of` to its beginning."
        yield judged.warning(judged.time, what, hint, rows[cut.last])


def _last_whole_day(judged: Judged) -> tuple[date, bool]:
    """Return the last local day that was over at `as_of`, and whether `as_of` lies inside the next."""
    as_of = judged.settings.as_of
    shown = as_of.replace(tzinfo=None) + timedelta(seconds=_offset(judged.clock, as_of))
    return shown.date() - timedelta(days=1), shown.time() != datetime.min.time()


def _offset(clock: Clock, instant: datetime) -> int:
    return next((offset for at, offset in reversed(clock.changes) if at <= instant), clock.changes[0][1])


def _usual(rows: Counts, runs: Iterable[Run], logged: list[date]) -> int:
    """Return how many rows such days usually have."""
    return max(1, round(sum(expected(rows, (run.first, run.last), logged).usual for run in runs)))


def _told(runs: Sequence[Run]) -> str:
    shown = ", ".join(str(run) for run in runs[:EXAMPLES])
    return shown if len(runs) <= EXAMPLES else f"{shown} and {len(runs) - EXAMPLES} more times"
