"""`sojourn score`: a list of all members with their segments, by the rule that a page handed out."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sojourn.core.columns import csv_text, harmless
from sojourn.core.errors import ParameterError
from sojourn.core.params import Params, read_params
from sojourn.core.project import root
from sojourn.core.results.take_away import NO_SEGMENT, TakeAway
from sojourn.core.text import count, day, listing, local_date, plural
from sojourn.pipeline.private import only_mine

if TYPE_CHECKING:
    import pyarrow as pa

    from sojourn.data.tidy import Tidy

_LIST = "members.csv"
_ENDINGS = (".csv", ".parquet")


def score(case: str, *, at: str | None = None, out: Path | None = None) -> Path:
    """Write a list of all members who were with us at a date, with their segments, and say how many.

    Parameters
    ----------
    case : str
        Name of a case whose page of segments has handed out a rule.
    at : str, optional
        The date on the case's own clock (such as 2025-06-01); the end of the data when not stated.
    out : Path, optional
        CSV or Parquet file to write; of a private case below ``private/``.

    Returns
    -------
    Path
        The file: ``member`` and ``segment`` (empty where a member has none), ordered by member.

    Raises
    ------
    ParameterError
        When the date or the file will not do.
    DataError
        When the case was not prepared, or there is no rule yet, or it is none or of another case.
    MissingTableError
        When the page of segments found none, or a table is gone that the rule counts.
    """
    from sojourn.data.frozen_rule import read_rule
    from sojourn.data.tidy import open_tidy

    params = read_params()
    rule = read_rule(params, case)
    target = _target(params, case, out)
    tidy = open_tidy(params, case)
    stated, instant = _instant(tidy, rule, at)
    with only_mine(params.is_private(case)):
        counted = _write(target, tidy, rule, instant)
    where = target.relative_to(root()) if target.is_relative_to(root()) else target
    relinked = params.is_private(case) and target.suffix == ".csv"
    ids = f" For their ids: `sojourn relink {where} --case {case}`." if relinked else ""
    print(f"  {case}, {day(stated)}: {_told(rule, counted)}. The list is in {where}.{ids}", file=sys.stderr)
    return target


def _target(params: Params, case: str, out: Path | None) -> Path:
    """Return the file to write: out of git's reach, and of a private case below ``private/``."""
    from sojourn.data.identity.tracked import would_track

    if out is None:
        return params.places(case).scored / _LIST
    target = out.parent.resolve() / out.name
    if target.suffix not in _ENDINGS:
        raise ParameterError(f"The list is a {' or '.join(_ENDINGS)}, got {target.name}.")
    if params.is_private(case) and not target.is_relative_to(root() / "private"):
        raise ParameterError(f"'{case}' is private: name a file below private/, not {out}.")
    _need_free(params, case, target)
    if not target.parent.is_dir():
        raise ParameterError(f"There is no folder {target.parent} to write {target.name} to.")
    if target.is_relative_to(root()) and would_track(target):
        raise ParameterError(
            f"Git tracks {target.relative_to(root()).as_posix()} or would, so no list of members is "
            "written to it. Leave out --out, or name a file that git ignores."
        )
    return target


def _need_free(params: Params, case: str, target: Path) -> None:
    """Refuse a file that is there and is no list of the case, and places where the pipeline keeps its own.

    Raises
    ------
    ParameterError
        Saying which.
    """
    said = target.relative_to(root()) if target.is_relative_to(root()) else target
    if target.is_dir():
        raise ParameterError(f"{said} is a folder: name a file to write.")
    for kept in (root() / "data", root() / "private" / "data"):
        if target.is_relative_to(kept) and not target.is_relative_to(kept / "scored"):
            raise ParameterError(
                f"{said} lies where the tables of cases are kept. Leave out --out, or name a file elsewhere."
            )
    if os.path.lexists(target) and not target.is_relative_to(params.places(case).scored):
        raise ParameterError(f"{said} is there already: remove it, or name another file.")


def _instant(tidy: Tidy, rule: TakeAway, at: str | None) -> tuple[date, datetime]:
    """Return a date and its instant: so many times 24 hours before `as_of`."""
    as_of, start = (datetime.fromisoformat(tidy.meta[name]) for name in ("as_of", "observed_from"))
    end = local_date(as_of, tidy.meta["time_zone"])
    stated = end if at is None else _date(at)
    instant = as_of - timedelta(days=(end - stated).days)
    if instant > as_of:
        raise ParameterError(f"'--at' {stated} lies after the end of the data ({end}).")
    days = rule.counting.min_tenure_days
    if (instant - start).days < days:
        first = end - timedelta(days=(as_of - start).days - days)
        raise ParameterError(
            f"'--at' {stated} leaves nobody observed for {days} days, as the rule demands: events of "
            f"'{tidy.case}' are known from {day(start, tidy.meta['time_zone'])}. Name {first} or later."
        )
    return stated, instant


def _date(at: str) -> date:
    try:
        return date.fromisoformat(at)
    except ValueError as error:
        raise ParameterError(f"'--at' must be a date such as 2025-06-01, got {at!r}.") from error


def _write(target: Path, tidy: Tidy, rule: TakeAway, instant: datetime) -> Counter[int]:
    """Write the list beside its place and rename it; return members by number of segment."""
    counted: Counter[int] = Counter()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.stem}.", dir=target.parent) as folder:
        built = Path(folder) / target.name
        rows = _counted(_batches(tidy, rule, instant), counted)
        (_write_csv if target.suffix == ".csv" else _write_parquet)(built, rows, rule)
        built.replace(target)
    return counted


def _batches(tidy: Tidy, rule: TakeAway, instant: datetime) -> Iterator[pa.RecordBatch]:
    from sojourn.data.engine import stream
    from sojourn.data.scoring import scored

    table = scored(tidy, rule, instant)
    engine = table.get_backend()
    yield from stream(engine, table) if engine.name == "duckdb" else table.to_pyarrow_batches()


def _counted(batches: Iterator[pa.RecordBatch], counted: Counter[int]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        tally = batch.column("segment").value_counts()
        counted.update({int(row["values"]): int(row["counts"]) for row in tally.to_pylist()})
        yield batch


def _write_csv(path: Path, batches: Iterator[pa.RecordBatch], rule: TakeAway) -> None:
    import pyarrow.csv as pc

    with path.open("wb") as file:
        file.write(csv_text(["member", "segment"], []).encode())
        for batch in batches:
            named = _named(batch, [harmless(name) for name in rule.segments])
            pc.write_csv(named, file, pc.WriteOptions(include_header=False, quoting_style="needed"))


def _write_parquet(path: Path, batches: Iterator[pa.RecordBatch], rule: TakeAway) -> None:
    import pyarrow as pa

    from sojourn.data.parquet import write_parquet

    schema = pa.schema([("member", pa.int64()), ("segment", pa.string())])
    write_parquet(path, schema, (_named(batch, rule.segments) for batch in batches))


def _named(batch: pa.RecordBatch, names: Any) -> pa.RecordBatch:
    """Return a batch with names in place of numbers, empty where there is no segment."""
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = batch.column("segment")
    known = pc.if_else(pc.equal(numbers, NO_SEGMENT), pa.scalar(None, pa.int64()), numbers)
    segments = pa.array(list(names), pa.string()).take(known)
    return pa.record_batch({"member": batch.column("member").cast(pa.int64()), "segment": segments})


def _told(rule: TakeAway, counted: Counter[int]) -> str:
    """Say how many members are in each segment."""
    in_each = [f"{count(counted[i])} “{name}”" for i, name in enumerate(rule.segments)]
    new = counted[NO_SEGMENT]
    none = f"; {count(new)} were observed for too short a time" if new else ""
    return f"{plural(counted.total(), 'member')}, of them {listing(in_each)}{none}"
