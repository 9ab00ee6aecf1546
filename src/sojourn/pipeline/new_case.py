"""A first section of params.yaml for a stranger's files: what is guessed is marked as a guess."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import MAXYEAR, UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

from sojourn.core.errors import ParameterError, SojournError, UndefinedError
from sojourn.core.folder import PRIVATE_FILE, PRIVATE_FOLDER
from sojourn.core.params import Params, read_params
from sojourn.core.project import places, root
from sojourn.core.schema import CONTRACT
from sojourn.data.guess.choose import Guess, choose
from sojourn.data.guess.kinds import look_at
from sojourn.data.guess.sample import Sample, latest, sample
from sojourn.data.localtime import time_zone
from sojourn.data.sources.stated import COMPRESSIONS
from sojourn.pipeline.declared import check_params
from sojourn.pipeline.first_mapping import Found, Known, written
from sojourn.pipeline.private import only_mine
from sojourn.pipeline.sections import add_entries

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
#: Tables and times whose last one the midnight of the analysis follows; who will leave has not left yet.
_LEAVING = "churned_at"
_ENDING = (
    *((table, CONTRACT[table].time) for table in ("events", "members", "assignments")),
    ("members", _LEAVING),
)
#: Folders below ``private/`` that the pipeline writes into, so that no case can be made from all of one.
_WRITTEN = {".", "data", "keys", "reports", "forgotten"}


def new_case(
    name: str, files: Mapping[str, Path], stated: Sequence[str] = (), *, zone: str | None = None
) -> str:
    """Write a first mapping of a private case into params.yaml and return what was written.

    Files that do not lie below ``private/`` yet are copied to ``private/data/raw/NAME/``; a key for the
    pseudonyms is made. When anything fails, all is as it was.

    Parameters
    ----------
    name : str
        Of the case: a-z, 0-9 and _.
    files : mapping of str to Path
        File, or folder of Parquet files, of each table of the contract. Where there are no events, joining is
        the only event that is known of a member.
    stated : sequence of str
        What the user knows, each as ``TABLE.OURS=THEIRS``.
    zone : str, optional
        IANA name of the platform's time zone.

    Raises
    ------
    ParameterError
        When there is a case of that name, or one of `stated` cannot be understood.
    DataError
        When a file cannot be read or a column that is needed cannot be guessed.
    """
    from sojourn.data.pseudonyms import new_key

    check_params()
    params = read_params()
    _check_name(params, name)
    if zone is not None:
        time_zone(zone)
    known = _stated(stated, files)
    looked = {table: _look(table, path, known.get(table, {})) for table, path in files.items()}
    joins = _joins(looked)
    as_of = _end(files, looked, zone)
    with ExitStack() as undo:
        _leave_folders(undo, name)
        with only_mine():
            placed = {table: _placed(name, table, path, undo) for table, path in files.items()}
            key_id = new_key()
            undo.callback((root() / "private" / "keys" / f"{key_id}.key").unlink)
        found = {table: Found(placed[table], *parts) for table, parts in looked.items()}
        if joins:
            found = {"events": Found(placed["members"], *joins, is_joining=True), **found}
        text = written(params, Known(name, _origin(placed.values()), key_id, as_of, zone), found)
        add_entries(text, name)
        undo.pop_all()
    return text["cases"] + "\n"


def _check_name(params: Params, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ParameterError(f"A case is named by a-z, 0-9 and _, got '{name}': its name becomes a folder.")
    if name in params.cases:
        raise ParameterError(f"There is a case '{name}' already. Choose another name, or edit params.yaml.")


def _stated(stated: Sequence[str], files: Mapping[str, Path]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for text in stated:
        match = re.fullmatch(r"(\w+)\.(\w+)=(.+)", text, re.DOTALL)
        if match is None:
            raise ParameterError(f"'{text}' must be TABLE.OURS=YOURS, such as events.member_id=user.")
        table, ours, theirs = match.groups()
        if table not in files:
            raise ParameterError.no_such("table", table, files, where=f" among your files (--column {text})")
        columns = [column.name for column in CONTRACT[table].columns]
        if ours not in columns:
            raise ParameterError.unknown(ours, f"the table {table}", columns)
        of_table = found.setdefault(table, {})
        if ours in of_table or theirs in of_table.values():
            raise ParameterError(f"'{text}': each column can be stated once. Take one of the two out.")
        of_table[ours] = theirs
    return found


def _look(table: str, path: Path, known: Mapping[str, str]) -> tuple[Sample, Guess]:
    print(f"  {table}: looking at {path}", file=sys.stderr)
    begin = sample(table, path, str(path))
    looks = {column: look_at(values) for column, values in begin.columns.items()}
    return begin, choose(table, looks, known, str(path))


def _joins(looked: Mapping[str, tuple[Sample, Guess]]) -> tuple[Sample, Guess] | None:
    """Return joining as the events of a case that has members and no events.

    Raises
    ------
    ParameterError
        When it has neither.
    """
    if "events" in looked:
        return None
    if "members" not in looked:
        raise ParameterError(
            "A case needs `--events FILE` (who did what, when), or at least `--members FILE`."
        )
    begin, guess = looked["members"]
    columns = {"member_id": guess.columns["member_id"], "occurred_at": guess.columns["joined_at"]}
    times = {"occurred_at": guess.times["joined_at"]} if "joined_at" in guess.times else {}
    naive = ("occurred_at",) if "joined_at" in guess.naive else ()
    lacking = tuple(name for name in guess.leave_out_empty if name in columns)
    found = Guess(
        "events", columns, dict.fromkeys(columns, "stated"), times, {"event": "joined"}, {}, lacking,
        guess.whole_ids, (), naive, {},
    )  # fmt: skip
    return begin, found


def _end(files: Mapping[str, Path], looked: Mapping[str, tuple[Sample, Guess]], zone: str | None) -> datetime:
    """Return the midnight (of the zone, else UTC) after the last row."""
    here = ZoneInfo(zone) if zone else UTC
    ends = []
    for table, time in _ENDING:
        if table not in files or not _has_values(*looked[table], time):
            continue
        begin, guess = looked[table]
        until = datetime.now(UTC) if time == _LEAVING else None  # a contract may end after the export
        try:
            last = latest(files[table], begin, guess.columns[time], until=until)
        except UndefinedError:
            if time == _LEAVING:
                continue
            raise
        if last.year >= MAXYEAR:
            raise SojournError(
                f"{table}.{time}: the last row is of the year {last.year}, which no day follows. "
                "Leave the time empty where it stands for none, or take such rows out."
            )
        ends.append(last.replace(tzinfo=here) if time in guess.naive else last.astimezone(here))
    day = max(ends).date() + timedelta(days=1)
    return datetime(day.year, day.month, day.day, tzinfo=here)


def _has_values(begin: Sample, guess: Guess, time: str) -> bool:
    """Whether a time is looked at: that of every row is, another where some row of the sample has it."""
    of_rows = time == CONTRACT[guess.table].time
    return of_rows or any(value.strip() for value in begin.columns.get(guess.columns.get(time, ""), ()))


def _leave_folders(undo: ExitStack, name: str) -> None:
    """See to it that folders that are not there yet go again when something fails."""
    top = root() / "private"
    for folder in (top, top / "keys", top / "data", top / "data" / "raw", places(name, private=True).raw):
        if not folder.exists():
            undo.callback(_remove_empty, folder)


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _placed(name: str, table: str, path: Path, undo: ExitStack) -> str:
    """Return where a file lies from the project's root, copied below ``private/`` where it was elsewhere."""
    here = path.resolve()
    if here.is_relative_to(root() / "private"):
        return here.relative_to(root()).as_posix()
    target = places(name, private=True).raw / (table if here.is_dir() else table + _end_of_name(here))
    if target.exists():
        raise SojournError(f"{target.relative_to(root())} exists already. Remove it, or name it as the file.")
    target.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    undo.callback(_remove, target)
    _copy(here, target)
    return target.relative_to(root()).as_posix()


def _end_of_name(path: Path) -> str:
    """Return how the name of a copy ends: by it the door knows Parquet, and how a text is compressed."""
    if path.suffix == ".parquet":
        return ".parquet"
    packed = path.suffix.lower() if path.suffix.lower() in COMPRESSIONS else ""
    inside = (path.with_suffix("") if packed else path).suffix.lower()
    return (inside if inside in (".csv", ".tsv") else ".txt") + packed


def _copy(here: Path, target: Path) -> None:
    """Copy a file, or a folder with all below it, without the modes of the original."""
    if not here.is_dir():
        shutil.copyfile(here, target)
        target.chmod(PRIVATE_FILE)
        return
    target.mkdir(mode=PRIVATE_FOLDER)
    for path in sorted(here.iterdir()):
        _copy(path, target / path.name)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _origin(placed: Iterable[str]) -> str:
    """Return what a case is made from, below ``private/``: its file, or the folder of all its files.

    Raises
    ------
    SojournError
        When that folder is one into which the pipeline writes.
    """
    paths = [PurePosixPath(path).relative_to("private").as_posix() for path in placed]
    folder = paths[0] if len(paths) == 1 else (os.path.commonpath(paths) or ".")
    own = re.fullmatch(r"(data/raw/[a-z0-9_]+)/[^/]+", folder)
    if folder in _WRITTEN or folder == "data/raw":
        raise SojournError(
            "The files lie in different folders below private/. Put them into one folder of their own there, "
            "or name those from elsewhere: they are copied."
        )
    return own[1] if own else folder
