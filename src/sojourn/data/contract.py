"""The page ``data/README.md``: the contract in words, made from the schema and the door's own parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sojourn.core.project import root
from sojourn.core.schema import contract_markdown
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
listed in `quality.csv`. Without a table `members` a member joins with the first event.

## Behind the door

Tidy tables have every column of the contract in its order; `tidy.json` lists under `present` those that the
case brought, all others are empty. In place of `member_id` and of `referred_by` stands the member's number:
dense from 0, in the order of joining, then of the id as text. In place of the year of birth stands the age
band at joining. Instants are UTC, amounts DECIMAL(18,4). Rows are sorted by member, time and all other
columns, so the same rows give the same bytes in any order and with any number of threads. `quality.csv`
counts rows, missing and distinct values and lists what was left out or looked odd. `ids.parquet` holds each
member's pseudonym, the HMAC-SHA-256 of the id, by which the owner of key and ids can find a member again;
the ids themselves are nowhere. Shipped cases are published data and use a published key. A private case
makes its own with `python -m sojourn.data.pseudonyms`, which writes `private/keys/KEY_ID.key`, and states
the `key_id` it prints; the variable `SOJOURN_KEY` may hold the key instead.

## The contract

Privacy grades are public, internal, sensitive and secret. No result and no page holds anything above
internal, or a member's number.

"""


def contract_page() -> str:
    """Return the text of ``data/README.md``."""
    rows = [f"| `{name}` | {_default(known.default)} | {known.meaning} |" for name, known in KNOWN.items()]
    parameters = "| `prepare` in params.yaml | default | meaning |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    return _HEAD + parameters + SOURCES_PAGE + _TYPES + contract_markdown() + kpis_markdown()


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
