"""What is to be read: all parts, or those that the ledger does not know or could not finish."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

from sojourn.core.errors import ParameterError
from sojourn.core.project import root
from sojourn.data.increment.ledger import ACTIVITY, EVENTS, TALLIES, VALUES, Ledger, Part, read_ledger
from sojourn.data.increment.meaning import meaning_of
from sojourn.data.parts import files_in, part_name
from sojourn.data.pseudonyms import Key
from sojourn.data.settings import Settings


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run of a growing case reads.

    Attributes
    ----------
    parts : mapping of str to Part
        All parts that are there now.
    ledger : Ledger or None
        Of the run before; None where everything is read.
    folder : Path
        Where the parts are.
    former : Path
        What is held of the run before (see `hold`).
    meaning : str
        Fingerprint of what gives days their meaning.
    reason : str
        Why everything is read, empty where it is not or nothing was read before.
    """

    parts: Mapping[str, Part]
    ledger: Ledger | None
    folder: Path
    former: Path
    meaning: str
    reason: str = ""

    @property
    def new(self) -> list[str]:
        """Parts that no run has read."""
        known = self.ledger.parts if self.ledger else {}
        return [name for name in self.parts if name not in known]

    @property
    def read(self) -> list[str]:
        """Parts that this run reads: new ones, and open ones again."""
        known = self.ledger.parts if self.ledger else {}
        return [name for name in self.parts if name not in known or known[name].is_open]

    @property
    def only(self) -> dict[str, list[str]]:
        """What `raw_tables` is to read of the events."""
        return {EVENTS: self.read}

    def name_of(self, path: str) -> str:
        """Return the name of the part at a path."""
        return part_name(Path(path), self.folder)

    def anew(self, reason: str) -> Plan:
        """Return the plan to read everything."""
        return replace(self, ledger=None, reason=reason)

    def said(self, opened: int) -> str:
        """Return in one sentence what was done."""
        if self.ledger is None:
            why = f"{self.reason}: full run" if self.reason else "full run"
            return f"{why}, {len(self.parts):,} parts read"
        again = len(self.read) - len(self.new)
        twice = f", {again:,} read again" if again else ""
        days = "1 day" if opened == 1 else f"{opened:,} days"
        new = len(self.new)
        return f"{new:,} of {len(self.parts):,} parts {'is' if new == 1 else 'are'} new{twice}; {days} opened"


def plan_of(settings: Settings, key: Key, folder: Path | None, former: Path, *, anew: bool) -> Plan | None:
    """Decide what is read; None where the case does not grow.

    Parameters
    ----------
    settings : Settings
        Of the case.
    key : Key
        Of the case.
    folder : Path or None
        The parts of its raw events.
    former : Path
        What is held of the run before (see `hold`).
    anew : bool
        Whether everything is to be read in any case.

    Raises
    ------
    ParameterError
        When the events are no folder of parts.
    """
    if settings.grow is None:
        return None
    if folder is None or not folder.is_dir():
        raise ParameterError(
            f"cases.{settings.case}.prepare.grow is by_day, but its events are no folder of parts. "
            "Name a folder with one file a day in `tables.events`, or leave `grow` out."
        )
    ledger = None if anew else read_ledger(former)
    parts = _parts(folder, ledger.parts if ledger else {})
    found = Plan(parts, ledger, folder, former, meaning_of(settings, key))
    reason = _reason(found, settings)
    return found.anew(reason) if reason else found


def _parts(folder: Path, known: Mapping[str, Part]) -> dict[str, Part]:
    """Return all parts; only those whose size or time is new are opened, and hashed."""
    names = {part_name(path, folder): path for path in files_in(EVENTS, folder, folder.name)}
    return {name: _part(path, known.get(name)) for name, path in sorted(names.items())}


def _part(path: Path, known: Part | None) -> Part:
    stat = path.stat()
    if known is not None and (known.size, known.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
        return known
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if known is not None and known.sha256 == sha256:
        return replace(known, mtime_ns=stat.st_mtime_ns)
    return Part(stat.st_size, stat.st_mtime_ns, sha256)


def _reason(plan: Plan, settings: Settings) -> str:
    """Return why everything has to be read, empty where it has not."""
    ledger = plan.ledger
    if ledger is None:
        return ""
    gone = sorted(set(ledger.parts) - set(plan.parts))
    kept = [name for name in plan.parts if name in ledger.parts]
    changed = [name for name in kept if plan.parts[name].sha256 != ledger.parts[name].sha256]
    moved = settings.retention_limit_days is not None and settings.as_of != ledger.as_of
    reasons = {
        "parameters, code or contract changed": ledger.meaning != plan.meaning,
        "as_of is earlier than last time": settings.as_of < ledger.as_of,
        "retention_limit_days drops older rows": moved,
        f"{_named(gone)} gone": bool(gone),
        f"{_named(changed)} changed": bool(changed),
        "old days are not as they were left": not _is_whole(plan.former, ledger),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _named(parts: Collection[str]) -> str:
    first, *others = [*parts, ""]
    return f"{first} and {len(others) - 1} more parts are" if len(others) > 1 else f"{first} is"


def _is_whole(former: Path, ledger: Ledger) -> bool:
    events = {day: former / EVENTS / f"{day}.parquet" for day in ledger.days}
    made = [former / name / f"{day}.parquet" for name in (ACTIVITY, TALLIES) for day in ledger.days]
    return all(path.is_file() for path in (former / VALUES, *made, *events.values())) and all(
        path.stat().st_size == ledger.days[day].size for day, path in events.items()
    )


def events_folder(settings: Settings, folder: Path, raw: Mapping[str, Path] | None) -> Path | None:
    """Return where the raw events of a case are, None where they come from no file.

    Parameters
    ----------
    settings : Settings
        Of the case.
    folder : Path
        Where the case's raw tables are made, for source ``world``.
    raw : mapping of str to Path or None
        Files that take the place of the source.
    """
    stated: object = (raw or {}).get(EVENTS, folder / EVENTS if settings.source == "world" else None)
    stated = stated or settings.tables.get(EVENTS)
    return root() / stated if isinstance(stated, str | PathLike) else None
