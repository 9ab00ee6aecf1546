"""Faults in amounts and other values: separators, signs, words for nothing, one order of a billion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sojourn.world.bad.fault import Change, Fault, Given, dealt, filled, first, rewritten, some, written
from sojourn.world.bad.layouts import names
from sojourn.world.bad.sheet import Sheet

#: What programs write where there is nothing.
NOTHING = ("NULL", "N/A", "-", "nan", "None")
_BILLION = "1000000000.00"


def _amount(sheet: Sheet) -> str:
    return first(sheet.columns("decimal"), sheet.table)


def _every(rewrite: Callable[[str], str], *, delimiter: str = ",") -> Callable[[Sheet, Given], Change]:
    def plant(sheet: Sheet, given: Given) -> Change:  # noqa: ARG001 (faults share one shape)
        return rewritten(replace(sheet, delimiter=delimiter), _amount(sheet), rewrite)

    return plant


def _large(*texts: str, delimiter: str = ",") -> Callable[[Sheet, Given], Change]:
    def plant(sheet: Sheet, given: Given) -> Change:
        return dealt(given, replace(sheet, delimiter=delimiter), _amount(sheet), texts, n=6)

    return plant


def _billion(sheet: Sheet, given: Given) -> Change:
    return dealt(given, sheet, _amount(sheet), [_BILLION], n=1)


def _nothing_in(kind: Callable[[Sheet], str]) -> Callable[[Sheet, Given], Change]:
    def plant(sheet: Sheet, given: Given) -> Change:
        column = kind(sheet)
        empty = [int(place) for place in (sheet.rows[column] == "").to_numpy().nonzero()[0]]
        places = some(given, empty or filled(sheet, column), 15)
        return written(sheet, column, places, [NOTHING[i % len(NOTHING)] for i in range(len(places))])

    return plant


def _end(sheet: Sheet) -> str:
    return first([e.column for e in sheet.contract.ends if e.column in sheet.rows.columns], sheet.table)


def _yes_or_no(yes: str, no: str) -> Callable[[Sheet, Given], Change]:
    def plant(sheet: Sheet, given: Given) -> Change:  # noqa: ARG001 (faults share one shape)
        column = first(sheet.columns("bool"), sheet.table)
        return rewritten(sheet, column, {"true": yes, "false": no}.__getitem__)

    return plant


def _two_digits(sheet: Sheet, given: Given) -> Change:  # noqa: ARG001 (faults share one shape)
    return rewritten(sheet, first(sheet.columns("integer"), sheet.table), lambda year: year[-2:])


FAULTS = (
    Fault(
        "decimal_commas", "Amounts have a decimal comma, fields are parted by semicolons.",
        _every(lambda text: text.replace(".", ","), delimiter=";"), "events", "error", "values",
    ),
    Fault(
        "thousands_commas", "Amounts from a thousand on have commas, in quotes: 1,234.50.",
        _large("1,234.50", "2,000,000.00"), "events", "error", "values",
    ),
    Fault(
        "thousands_points", "Amounts from a thousand on have points, and a decimal comma: 1.234,50.",
        _large("1.234,50", "2.000.000,00", delimiter=";"), "events", "error", "values",
    ),
    Fault(
        "thousands_spaces", "Amounts from a thousand on have narrow spaces: 1 234.50.",
        _large("1\u202f234.50", "2 000 000.00"), "events", "error", "values",
    ),
    Fault(
        "currency_signs", "Amounts have a currency sign.",
        _every(lambda text: f"{text} €"), "events", "error", "values",
    ),
    Fault(
        "noise_of_floats", "Amounts went through floats and have noise behind the last place.",
        _every(lambda text: text + "0" * 11 + "1"), "events", "accepted", "values",
    ),
    Fault(
        "scientific_amounts", "Amounts are written with an exponent.",
        _every(lambda text: f"{text.replace('.', '')}e-{len(text.partition('.')[2])}"),
        "events", "accepted", "values",
    ),
    Fault("billion_order", "One order is of a billion.", _billion, "events", "warning", "values"),
    Fault(
        "null_words_in_amounts", "Missing amounts are written as NULL, N/A, - and so on.",
        _nothing_in(_amount), "events", "error", "values",
    ),
    Fault(
        "null_words_in_names", "Missing names are written as NULL, N/A, - and so on.",
        _nothing_in(names), "members", "warning", "values",
    ),
    Fault(
        "null_words_in_times", "Ends that have not come are written as NULL, N/A, - and so on.",
        _nothing_in(_end), "members", "error", "values",
    ),
    Fault(
        "yes_and_no_in_german", "Consent is written as a German spreadsheet does.",
        _yes_or_no("WAHR", "FALSCH"), "members", "error", "values",
    ),
    Fault(
        "yes_and_no_as_numbers", "Consent is written as 1 and 0.",
        _yes_or_no("1", "0"), "members", "accepted", "values",
    ),
    Fault(
        "years_of_two_digits", "Years of birth have two digits.", _two_digits, "members", "warning", "values"
    ),
)  # fmt: skip
