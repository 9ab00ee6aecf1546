"""Faults of whole files: cut off, empty, without rows, something else altogether."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sojourn.world.bad.fault import Change, Fault, Given, everywhere, filled, some
from sojourn.world.bad.sheet import Sheet

_PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n"


def _all(sheet: Sheet, finish: Callable[[bytes], bytes], **changes: object) -> Change:
    return Change(replace(sheet, finish=finish, **changes), "", everywhere(sheet))  # type: ignore[arg-type]


def _later_half(sheet: Sheet) -> range:
    return range(len(sheet.rows) // 2, len(sheet.rows))


def _cut(sheet: Sheet, row: int, characters: int) -> Change:
    """Keep all rows before one, and so many characters of it."""
    end = sheet.line_end.encode()

    def finish(raw: bytes) -> bytes:
        lines = raw.split(end)
        return end.join([*lines[: row + 1], lines[row + 1][:characters]])

    return Change(replace(sheet, finish=finish), "", range(row, len(sheet.rows)))


def _truncated(sheet: Sheet, given: Given) -> Change:
    """Cut a row before its last field but one."""
    row = some(given, _later_half(sheet), 1)[0]
    longest = len(sheet.delimiter.join(sheet.rows.iloc[row, :-2]))
    return _cut(sheet, row, int(given.rng.integers(1, longest + 1)))


def _truncated_in_field(sheet: Sheet, given: Given) -> Change:
    """Cut the last field of a row in two."""
    last = str(sheet.rows.columns[-1])
    places = filled(sheet, last)
    long = [p for p, text in zip(places, sheet.texts(last, places), strict=True) if len(text) > 1]
    row = some(given, long, 1)[0]
    change = _cut(sheet, row, len(sheet.delimiter.join(sheet.rows.iloc[row])) - 1)
    return replace(change, column=last)


def _truncated_parquet(sheet: Sheet, given: Given) -> Change:
    share = float(given.rng.uniform(0.2, 0.9))
    return _all(sheet, lambda raw: raw[: int(len(raw) * share)], form="parquet")


def _empty(sheet: Sheet, given: Given) -> Change:  # noqa: ARG001 (faults share one shape)
    return _all(sheet, lambda raw: raw[:0])


def _header_only(sheet: Sheet, given: Given) -> Change:  # noqa: ARG001 (faults share one shape)
    return Change(replace(sheet, rows=sheet.rows.iloc[:0]), "", everywhere(sheet))


def _web_page(sheet: Sheet, given: Given) -> Change:  # noqa: ARG001 (faults share one shape)
    return _all(sheet, lambda raw: _PAGE)  # noqa: ARG005


FAULTS = (
    Fault("truncated_file", "The file ends in the middle of a row.", _truncated, "events", "error", "file"),
    Fault(
        "truncated_last_field", "The file ends in the middle of the last field of a row.",
        _truncated_in_field, "events", "warning", "file",
    ),
    Fault(
        "truncated_parquet", "A Parquet file ends in the middle.",
        _truncated_parquet, "events", "error", "file",
    ),
    Fault("empty_file", "The file has no bytes.", _empty, "events", "error", "file"),
    Fault("header_only", "The file has a header and no rows.", _header_only, "events", "error", "rows"),
    Fault("web_page", "The file is the page on which to sign in.", _web_page, "events", "error", "file"),
)  # fmt: skip
