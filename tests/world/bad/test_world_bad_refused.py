"""Faults that the door has to refuse: one error that names table and column, and nothing written."""

from __future__ import annotations

import re

import pytest

from sojourn.core.errors import DataError
from sojourn.data.prepare import prepare
from sojourn.world.bad import FAULTS

NUMBER = "Write numbers such as 1234.50, with at most 14 digits before the point."
TIME = "Write times as ISO 8601, such as 2025-03-01T09:30:00Z."
FILL = "Fill it or leave those rows out."
ORPHAN = (
    "Add these members to the table `members`, or leave the table out to derive it from `events`.",
    "a member that `members` does not have",
)

# problem and hint of errors that count the rows concerned
IN_ROWS = {
    **dict.fromkeys(
        (
            "decimal_commas",
            "thousands_commas",
            "thousands_points",
            "thousands_spaces",
            "currency_signs",
            "null_words_in_amounts",
        ),
        ("not an amount", NUMBER),
    ),
    **dict.fromkeys(
        (
            "null_words_in_times",
            "names_of_time_zones",
            "epoch_seconds",
            "epoch_milliseconds",
            "excel_days",
            "day_first",
            "month_first",
            "header_again",
        ),
        ("not a time", TIME),
    ),
    **dict.fromkeys(
        ("ids_as_floats", "ids_with_exponent", "ids_of_several_types", "padded_ids", "orphans"), ORPHAN[::-1]
    ),
    "yes_and_no_in_german": ("not yes or no", "Write true or false."),
    "total_row": ("missing", FILL),
    "missing_values": ("missing", FILL),
    "doubled_members": ("repeats an earlier row", "Keep one row for each member_id."),
    "negative_durations": ("before joined_at", "Nothing ends before it begins; correct one of both."),
    "future_clocks": (
        "after as_of (2025-07-01T00:00:00Z)",
        "Set a later as_of, or after_as_of: leave_out.",
    ),
}

BROKEN = r"{table}: {file} cannot be read \(its rows are broken at line {line:,}: "
QUOTES = r"\)\. Put fields that hold a delimiter into quotes, and check that the file came whole\.$"
ENCODING = (
    r"{table}: {file} cannot be read \(it is not UTF-8: byte [\d,]+, in line [\d,]+, is none of it\)\. "
    r"State its encoding in cases\.shop\.prepare\.tables\.{table}, such as `encoding: "
)
WRONG = r"{table}\.{column}: wrong type in all {all:,} rows: found {found}, expected"
MISSING = r"{table}\.{column}: the column is missing from all rows; found "
# the beginning of other errors; {file} is the file, {line} the line of the first row concerned
OTHER = {
    "missing_column": MISSING,
    "doubled_column": r"{table}: {file} cannot be read \(the header names {column} twice\)\.",
    "misspelt_column": MISSING + ".* Did you mean '",
    "foreign_column": MISSING,
    "padded_column": MISSING + ".* Did you mean ' {column} '",
    "upper_case_columns": MISSING + r".* Did you mean '(?-i:{upper})'\?$",
    "title_line": r"{table}\.member_id: the column is missing from all rows; found .*Report of all {table}",
    "web_page": r"{table}\.member_id: the column is missing from all rows; found <!DOCTYPE html>",
    "windows_1252": ENCODING + r"cp1252` \(or ",
    "big5": ENCODING + r".*\bbig5\b",
    "gb18030": ENCODING + r"gb18030`",
    "delimiters_without_quotes": BROKEN + "the header has [0-9]+ fields, this row [0-9]+" + QUOTES,
    "quote_left_open": BROKEN + "a quote is left open" + QUOTES,
    "truncated_file": BROKEN + "the header has [0-9]+ fields, this row [0-9]+" + QUOTES,
    "truncated_parquet": (
        r"{table}: {file} cannot be read \(it is cut off: a Parquet file ends as it begins\)\. "
        r"Copy it again from where it comes from\.$"
    ),
    "empty_file": r"{table}: {file} cannot be read \(it has no header\)\.",
    "header_only": r"{table}: {file} has no rows\. Fill it, or take the table out of the case\.",
    "epoch_in_parquet": WRONG.replace("{found}", "int64"),
    "ids_as_floats_in_parquet": WRONG.replace("{found}", "float64"),
    # of days up to the twelfth those count that came to lie after as_of
    "swapped_day_and_month": (
        r"{table}\.{column}: after as_of \(2025-07-01T00:00:00Z\) in [\d,]+ of {all:,} rows"
    ),
    "column_doubled_by_case": r"{table}\.{column}: {file} has this column twice, as '\w+' and '{column}'\. ",
    "null_bytes": r"{table}\.{column}: bytes of value zero in [\d,]+ of {all:,} rows ",
}

REFUSED = [name for name, fault in FAULTS.items() if fault.expected == "error"]


def beginning(planted, rows: int) -> str:
    """Return the pattern with which an error begins."""
    facts = {
        "table": planted.table,
        "column": re.escape(planted.column),
        "upper": re.escape(planted.column.upper()),
        "file": rf"incoming/bad/{planted.files[planted.table].name}",
        "all": rows,
        "line": planted.examples[0] + 1,
    }
    if planted.fault in OTHER:
        return OTHER[planted.fault].format(**facts)
    problem, hint = IN_ROWS[planted.fault]
    counted = rf"in {planted.rows:,} of {rows:,} rows \(for example row {planted.examples[0]:,}[ ,)]"
    return rf"{planted.table}\.{planted.column}: {re.escape(problem)} {counted}.*{re.escape(hint)}$"


def test_what_is_said_is_known_of_every_fault_that_is_refused():
    assert set(IN_ROWS) | set(OTHER) == set(REFUSED)
    assert not set(IN_ROWS) & set(OTHER)


@pytest.mark.parametrize("fault", REFUSED)
def test_the_door_refuses(fault, plant, tables, stopped, said):
    planted = plant(fault)
    added = planted.rows if fault in ("doubled_members", "total_row", "header_again") else 0
    told, made = stopped(planted.files)
    assert re.match(beginning(planted, len(tables[planted.table]) + added), told, re.DOTALL)
    assert not made
    said(fault, told)


@pytest.mark.parametrize(
    ("fault", "table", "message"),
    [
        ("doubled_members", "assignments", r"assignments\.member_id: repeats an earlier row in 8 of "),
        ("orphans", "costs", r"costs\.member_id: a member that `members` does not have in 4 of "),
        ("future_clocks", "assignments", r"assignments\.assigned_at: after as_of "),
        ("empty_file", "costs", r"costs: .*costs\.csv cannot be read \(it has no header\)"),
        ("decimal_commas", "costs", r"costs\.amount: not an amount in "),
        ("missing_column", "members", r"members\.(member_id|joined_at): the column is missing"),
    ],
)
def test_the_door_refuses_it_in_another_table_too(fault, table, message, plant, project):
    planted = plant(fault, table=table)
    assert planted.table == table
    params = project.case("shop", prepare={"tables": {name: str(f) for name, f in planted.files.items()}})
    with pytest.raises(DataError, match=f"^{message}"):
        prepare(params, "shop")
