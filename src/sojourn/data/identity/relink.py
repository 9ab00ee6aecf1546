"""Ids of the members of a list, found inside the trust boundary: by hashing the raw tables' ids again."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from sojourn.core.errors import DataError, ParameterError
from sojourn.core.params import Params
from sojourn.core.project import root
from sojourn.data.identity.log import log
from sojourn.data.identity.looked_up import distinct_ids, raw_of
from sojourn.data.identity.tracked import would_track
from sojourn.data.pseudonyms import Key, find_key

#: Columns by which a list may name members, the surer one first.
_BY = ("pseudonym", "member")


@dataclass(frozen=True, slots=True)
class Relinked:
    """What became of a list.

    Attributes
    ----------
    path : Path
        The list with a column `member_id`, below ``private/``.
    found, missing : int
        Members whose id is in it, and members of the list who are no longer in the case.
    """

    path: Path
    found: int
    missing: int


def relink(params: Params, case: str, listed: Path, *, out: Path | None = None) -> Relinked:
    """Write a list of members anew, with their ids.

    Parameters
    ----------
    params : Params
        The project's parameters.
    case : str
        A private case.
    listed : Path
        CSV file with a column `pseudonym` or `member` (numbers, as the tidy tables have them now).
    out : Path, optional
        File to write, below ``private/``; ``NAME.ids.csv`` beside the list when not stated.

    Returns
    -------
    Relinked
        Members who are not found are left out of it and counted.

    Raises
    ------
    ParameterError
        When the case is public, its key is not there or another one, or the file would not stay private.
    DataError
        When the list has no such column, is older than the numbers it holds, or names numbers of nobody.
    """
    if not params.is_private(case):
        raise ParameterError(
            f"'{case}' is public: its rows are published, and there is nothing to find again."
        )
    section = params.case(case).get("prepare") or {}
    key = find_key(case, private=True, key_id=_text(section.get("key_id")))
    target = _private_place(out or listed.with_name(f"{listed.stem}.ids.csv"))
    rows = _read(listed)
    by = next((name for name in _BY if name in rows[0]), None)
    if by is None:
        raise DataError(
            f"{listed.name} has neither a column 'pseudonym' nor 'member'. Export the list with one."
        )
    known = _known(params, case, key)
    wanted = _pseudonyms(rows, by, known, listed, params.places(case).tidy)
    ids = _ids(params, case, key, {pseudonym for pseudonym in wanted if pseudonym is not None})
    linked = [(ids[p], row) for p, row in zip(wanted, rows, strict=True) if p is not None and p in ids]
    missing = len(rows) - len(linked)
    said = {"list": listed.name, "sha256": hashlib.sha256(listed.read_bytes()).hexdigest()}
    log("relink", case=case, **said, found=len(linked), not_found=missing)
    _write(target, list(rows[0]), linked)
    return Relinked(target, len(linked), missing)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _private_place(path: Path) -> Path:
    """Return where the ids may be written: below ``private/`` and out of git's reach."""
    place = path.parent.resolve() / path.name
    if not place.is_relative_to(root() / "private") or place.is_symlink():
        raise ParameterError(
            f"Ids are written below private/ only, not to {path.name} where the list is. "
            "Put the list there, or name a file there with --out."
        )
    if place.suffix != ".csv":
        raise ParameterError(f"The file with the ids must be a .csv, got {place.name}.")
    if would_track(place):
        raise ParameterError(
            f"Git tracks {place.relative_to(root()).as_posix()} or would, so no id is written to it. "
            "Choose another name, or let .gitignore hold `/private/*`."
        )
    return place


def _read(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise DataError(f"There is no file {path}.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error):
        raise DataError(f"{path.name} cannot be read. Write it as CSV in UTF-8.") from None
    if not rows:
        raise DataError(f"{path.name} lists nobody.")
    return rows


def _known(params: Params, case: str, key: Key) -> Path:
    """Return the pseudonyms by number of the case as it went through the door last."""
    tidy = params.places(case).tidy
    if not (tidy / "tidy.json").is_file():
        raise DataError(f"No tidy tables of '{case}' yet. Run `make reproduce`, or `sojourn prepare {case}`.")
    made_with = json.loads((tidy / "tidy.json").read_text(encoding="utf-8"))["key_id"]
    if made_with != key.key_id:
        raise ParameterError(
            f"Wrong key for cases.{case}: its tidy tables were made with {made_with}, the parameters say "
            f"key_id: {key.key_id}. Use that key, or run `sojourn prepare {case}`."
        )
    return tidy / "ids.parquet"


def _pseudonyms(
    rows: Sequence[Mapping[str, str]], by: str, known: Path, listed: Path, tidy: Path
) -> list[str | None]:
    """Return the pseudonym of every row, None where the member is no longer in the case."""
    if by == "pseudonym":
        there = _among(known, "pseudonym", {row[by] for row in rows})
        return [row[by] if row[by] in there else None for row in rows]
    if listed.stat().st_mtime < (tidy / "tidy.json").stat().st_mtime:
        raise DataError(
            f"{listed.name} is older than the tidy tables, whose numbers may stand for other members by now. "
            "Make the list anew, or use a list of pseudonyms."
        )
    numbers = [row[by].strip() for row in rows]
    strange = [number for number in numbers if not number.isdecimal()]
    by_number = _among(known, "member", {int(number) for number in numbers if number.isdecimal()})
    strange += [number for number in numbers if number.isdecimal() and int(number) not in by_number]
    if strange:
        raise DataError(
            f"{len(strange):,} of {len(rows):,} numbers in {listed.name} stand for nobody: the list is of "
            "another case or of an earlier preparation. Make it anew; no id was looked up."
        )
    return [by_number[int(number)] for number in numbers]


def _among(known: Path, column: str, wanted: set[str] | set[int]) -> dict[object, str]:
    """Return the pseudonyms of those wanted, by a column; the file is read in pieces."""
    return {
        row[column]: row["pseudonym"]
        for batch in pq.ParquetFile(known).iter_batches()
        for row in batch.to_pylist()
        if row[column] in wanted
    }


def _ids(params: Params, case: str, key: Key, wanted: set[str]) -> dict[str, str]:
    """Return the ids behind pseudonyms: every distinct id of the raw tables is hashed, none is kept."""
    with raw_of(params, case) as (engine, raws, settings):
        hashed = ((key.pseudonym(one), one) for one in distinct_ids(engine, raws, settings))
        return {pseudonym: one for pseudonym, one in hashed if pseudonym in wanted}


def _write(path: Path, header: list[str], linked: Iterable[tuple[str, Mapping[str, str]]]) -> None:
    """Write the list with ids: whole or not at all, for its owner alone."""
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # with the mode 0600
    names = ["member_id", *(column for column in header if column != "member_id")]
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, names, lineterminator="\n", extrasaction="ignore")
            writer.writeheader()
            writer.writerows({**row, "member_id": identifier} for identifier, row in linked)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
