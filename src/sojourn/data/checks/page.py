"""What the page on data says of findings: every rule on whole tables, and how often it is wrong."""

from __future__ import annotations

_HEAD = """
## What is odd but does not stop the door

Levels are **error** (the door stops), **warning** (go on, but look) and **note**. [The page of bad
input](../docs/bad-input.md) lists what is said of every fault that the tests plant. Findings stand in
`quality.csv` (a text that a spreadsheet would take for a formula gets a `'` in front) and, with what they are
made of, in `findings.parquet`, `columns.parquet`, `coverage.parquet` (rows and members by local day) and
`lateness.parquet`. Findings of a private case show no names.

"""

_RULES = (
    (
        "copies of rows",
        "warning",
        (
            "All columns equal, in more than 1 of 10,000 rows; fewer, or in ledger, costs and "
            "revenue: a note. They are kept unless `exact_duplicates` says `drop`."
        ),
    ),
    (
        "gap",
        "warning",
        (
            "Of `events`: empty days where lots would leave them empty in 1 of 1,000 logs. Usual is "
            "the median of the same weekday in the four weeks before and after; members are counted, "
            "and their scatter is measured on the log."
        ),
    ),
    (
        "drop",
        "warning",
        "Likewise less than half of the usual members. The first four weeks of a log are not judged.",
    ),
    (
        "cut end",
        "warning",
        "The last whole day has fewer rows than any of 56 before it, and less than a third of the usual.",
    ),
    (
        "`as_of` inside a day",
        "note",
        "The last local day counts up to `as_of` only.",
    ),
    (
        "late rows",
        "note",
        "By `recorded_at`; a warning when more than 5 % come a day or more late.",
    ),
    (
        "bots",
        "warning",
        "Events of a member in all, or on the busiest day, beyond p95 × max(10, (p95/p50)²) of members.",
    ),
    (
        "absurd amounts",
        "warning",
        "Likewise beyond p95 × max(100, (p95/p50)²) of amounts, by kind of event.",
    ),
    (
        "reset clocks",
        "warning",
        (
            "Rows of 1970-01-01 and other days from which clocks count, when nothing follows for a "
            "year. `observed_from` passes over them."
        ),
    ),
    (
        "times without offset",
        "warning",
        "Where the case's zone is not UTC and `clock` is not stated.",
    ),
    (
        "one member, several ids",
        "warning",
        "Ids that are equal as whole numbers: 7, 007, 7.0.",
    ),
    (
        "mostly missing",
        "warning",
        "More than half of a column known at joining.",
    ),
    (
        "words for nothing",
        "warning",
        "NULL, N/A, - and so on as names, but where *none* is a name (schemes, reasons).",
    ),
    (
        "spellings",
        "warning",
        "Names that differ by case, blanks or form of characters only.",
    ),
    (
        "rare and new names",
        "note",
        "In at most 3 rows, or of the last two weeks only; a warning where `known_values` lists the names.",
    ),
)

_TAIL = """
How often clean data are warned of, measured: never in 8 draws of the world `demo` of 2,000 members, in one of
`demo` of 20,000, and in one of 1,500 members of each of nine other worlds; in `calendar_shock` one drop is
found, which is planted. Of 100 worlds of 80 members none has a gap, a drop or a cut end. `cdnow` has one
warning (21 of 6,919 purchases are copies: it has dates only), `complete_journey` two (age bands of 68 % are
missing, and shops were closed on 2017-12-25). Of published data, the rule on bots finds the one player of
Cookie Cats with 49,854 rounds and nobody in CollegeMsg or Online Retail; there 11 of 406,785 lines cost more
than 6,750, and the gaps are holidays of April 2011.
"""


def findings_section() -> str:
    """Return the section of ``data/README.md`` on findings."""
    lines = [("what", "level", "rule"), ("---",) * 3, *_RULES]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{_HEAD}{table}\n{_TAIL}"
