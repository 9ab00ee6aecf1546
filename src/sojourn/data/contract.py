"""The page ``data/README.md``: the contract in words, made from the schema and the door's own parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sojourn.core.project import root
from sojourn.core.schema import contract_markdown
from sojourn.data.checks.page import findings_section
from sojourn.data.reconcile.kpis import kpis_markdown
from sojourn.data.settings import KNOWN
from sojourn.data.sources.page import SOURCES_PAGE

_HEAD = """\
# Data

This page is made from `src/sojourn/core/schema.py` and `src/sojourn/data/settings.py` by `python -m
sojourn.data.contract`; a test keeps it true. Change those, not this page.

| folder | what it holds | kept in git |
|---|---|---|
| `raw/CASE/` | tables as they came, where the project makes them itself | no |
| `tidy/CASE/` | behind the door: checked, pseudonymised Parquet | no |
| `cells/CASE/STUDY/` | small tables of integers and decimals, from which every study works | no |
| `casebook/CASE/STUDY/` | cells of published data, with source, licence, script and checksums | yes |

The same folders of a private case stand below `private/`, which git ignores; there folders have the mode
0700 and files 0600. A case is private unless its `about` section says `public: true`.

## The door

`sojourn prepare CASE` reads raw tables, checks them against the contract below and writes tidy ones. A
table that breaks the contract stops it with one error that names table, column, number of rows, up to three
examples and what to do; what an earlier run has made stays whole. An error of a public case shows row
numbers (counted from 1, without the header) and values. An error of a private case shows row numbers, and
of a value that could not be read its shape only (`31/02/2020` as `99/99/9999`), never an id.

"""

_TYPES = """
Times are ISO 8601 (`2025-03-01T09:30:00Z`), numbers have a point and no separators, yes and no are `true`
and `false`, an empty field is a missing value. Columns that the contract does not know are not read and are
listed in `quality.csv`. Without a table `members` a member joins with the first event, or with an assignment
before it.
"""

_BEHIND = """
## Behind the door

Tidy tables have every column of the contract in its order; `tidy.json` lists under `present` those that
the case brought, all others are empty. In place of `member_id` and of `referred_by` stands the member's
number: dense from 0, in the order of joining, then of the id as text. Sensitive columns are coarsened by
the rule that the contract states with them. Instants are UTC, amounts DECIMAL(18,4). Rows are sorted by
member, time and all other columns, so the same rows give the same bytes in any order and with any number
of threads. `quality.csv` counts rows, missing and distinct values and lists what was left out or looked
odd. `ids.parquet` holds each member's pseudonym, the HMAC-SHA-256 of the id, by which the owner of key
and ids can find a member again; the ids themselves are nowhere. Shipped cases are published data and use
a published key. A private case makes its own with `python -m sojourn.data.pseudonyms`, which writes
`private/keys/KEY_ID.key`, and states the `key_id` it prints; the variable `SOJOURN_KEY` may hold the key
instead.

## Engines

The door is DuckDB's, in this process, whatever is stated. Cells are made by DuckDB too, or by Spark: state
`engine: {backend: pyspark}` in `params.yaml`, with `pip install 'ibis-framework[pyspark]'` and Java 17. What
comes after cells (notebooks, pages) reads cells alone. The files of cells are the same bytes on one thread of
DuckDB, on two, on Spark and, where the tidy tables lie there, on PostgreSQL: a test writes the cells of every
study on each and compares. So pages are the same as well. A case that comes *from* PostgreSQL has the tidy
tables that it has from files; another test compares those.

This holds for Spark on one machine, which is what the tests start. `engine.address` names a Spark Connect
server; that way is not tested. It needs `pip install 'pyspark[connect]'`, and the server must find the folder
`data/` under the same path.

`engine.memory_limit` is DuckDB's, at the door, for cells, and to forget or find members. What does not fit is
spilled: by the door into the folder it builds, for cells below `.sojourn/`, so leave room on that disk.
Python and the rows that are being written take their memory beside it: with a limit of 150 MB a test brings
1.2 million events through door and cells of segments in less than 700 MB, with the bytes of a run at 4 GB.
Spark takes its memory from its own settings, such as `spark.driver.memory` in `spark-defaults.conf`.

## A case that grows by day

With `grow: by_day` the table `events` is a folder of parts, most often one file for each day on which
rows became known. `sojourn prepare CASE` then opens only parts that are new (size and time of a file that
was read say that it is not; where they differ, its hash decides). Tidy events stand by UTC day as
`events/YYYY-MM-DD.parquet`. New rows are checked by all rules, and the days they belong to are opened, so
a late row opens its own day; the files of all other days stay as they are and are not opened. All other
tables are read each time. The files are those of a full run, byte for byte. `read.json` lists parts, days
and counts, `values.parquet` keyed fingerprints of different values, `activity/` and `tallies/` what is
made of each day.

Rows that were later than `as_of` come in when it moves: their parts are read again. Everything is read again,
and one line says why, when a part that was read has changed or is gone, when parameters (but for `as_of`),
contract or code have changed, when `as_of` goes back, when members who had a number get another one (somebody
gave or withdrew consent, or joined before others did and comes later), with every new `as_of` under a
`retention_limit_days`, and where members are derived from events. `sojourn prepare CASE --anew` asks for it.

## Who is in the data, and who is not

- **Consent.** A member who did not agree to analysis is in no table: rows go, a referral by that member is
  empty, a prospect who became that member goes with all rows. `quality.csv` counts them, and
  `withheld.parquet` those who were in a trial, by trial, scheme and month: their outcome is missing. What an
  empty `consent` counts as, `empty_consent` says. Who withdraws later is gone with the next `prepare`.
- **Retention limit.** With `retention_limit_days` nothing is kept that was over before that many days
  before `as_of`. What happens at one time is over then; a spell or a membership is over when it has ended.
  Where no end of membership is recorded at all, a member goes who neither joined nor did anything since. A
  member who stays keeps the day of joining, however old. `items` and `external`, which are nobody's, stay.
  `observed_from` is never before the limit. What went is counted as a warning in `quality.csv`.
- **Forgotten.** `sojourn forget MEMBER… --case CASE` (rather `--file FILE`, one id a line, since a command
  line stays in the history of the shell; `--dry-run` only tells) takes members out of the raw files: rows
  go, `referred_by` of others becomes empty, what they did as prospects goes. In a text all other bytes stay;
  Parquet keeps its other rows, types and notes; a DuckDB file is written anew, so that no block keeps them.
  What was made of the case is removed (tidy tables, cells, executed notebooks, pages, leftovers of runs that
  were killed, DVC's cache and notes on runs) and made again by `make reproduce`. Their pseudonyms go to
  `private/forgotten/CASE.csv`: a member who comes again in a later export is left out and counted. Keep that
  file. A database is not changed: there the platform itself must delete. Backups, remotes, git's history
  and lists of your own are yours to clear; the command names those it finds.
- **Persons in names.** Names and item ids are scanned: a value that holds an e-mail address, a phone number,
  a payment card or a bank account stops the door, which tells how many and never which. Distinct values are
  looked at. An item id of digits only is an item's number and passes.
- **Ids found again.** `sojourn relink LIST --case CASE` writes a list with a column `pseudonym` or `member`
  anew with the ids, below `private/` only and never to a file that git tracks or would. The ids are looked
  up in the raw tables with the case's key. Every use is noted in `private/relink.log`: who, when, the list's
  name and hash, how many were found; every forgetting in `private/forget.log`. A list of numbers must be
  younger than the tidy tables, since numbers change with them; pseudonyms stay.
- **At rest.** Whatever is made of a private case has the mode 0600 (folders 0700), temporary files too, and
  `private/` itself can be entered by its owner alone. Nothing is encrypted: that is the job of the disk.
  Keep the project, the raw files and the folder for temporary files on an encrypted disk.

## The contract

Privacy grades are public, internal, sensitive and secret. No result and no page holds anything above
internal, or a member's number.

"""


def contract_page() -> str:
    """Return the text of ``data/README.md``."""
    rows = [f"| `{name}` | {_default(known.default)} | {known.meaning} |" for name, known in KNOWN.items()]
    parameters = "| `prepare` in params.yaml | default | meaning |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    door = _HEAD + parameters + SOURCES_PAGE + _TYPES + findings_section()
    return door + _BEHIND + contract_markdown() + kpis_markdown()


def write_contract_page() -> Path:
    """Write ``data/README.md`` and return its path."""
    path = root() / "data" / "README.md"
    path.write_text(contract_page(), encoding="utf-8")
    return path


def _default(default: Any) -> str:
    if default is ...:
        return "must be stated"
    return f"`{default}`" if default else "none"


if __name__ == "__main__":
    write_contract_page()
