"""The scan of published reports: before a report is put into place, and over all of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sojourn.core.params import read_params
from sojourn.core.project import root
from sojourn.report.scan import Leak, LeakError, leaks_in, stated_by

#: Leaks that are listed one by one.
_LISTED = 20


def scan_reports(*, private: bool) -> str:
    """Scan every file below ``reports`` (or ``private/reports``) and say how many are clean.

    Raises
    ------
    LeakError
        Listing file, place, kind and shape of what may not be published.
    """
    base = root() / "private" if private else root()
    reports = base / "reports"
    stated = tuple(stated_by(read_params(), private=private))
    files = sorted(path for path in reports.rglob("*") if path.is_file())
    leaks = [leak for path in files for leak in _of_file(path, reports, stated)]
    if leaks:
        lines = [f"- {leak}" for leak in leaks[:_LISTED]]
        rest = [f"- and {len(leaks) - _LISTED:,} more"] * (len(leaks) > _LISTED)
        found = f"{len(leaks):,} things that may not be published in {len(files):,} files of reports:"
        raise LeakError("\n".join([found, *lines, *rest]))
    return f"{len(files):,} files of reports hold nothing that may not be published."


def _of_file(path: Path, reports: Path, stated: Iterable[str]) -> list[Leak]:
    name = path.relative_to(reports).as_posix()
    try:
        return leaks_in(name, path.read_text(encoding="utf-8"), stated=stated)
    except ValueError:
        return [Leak(name, "a file that cannot be read as what its name says", "its content", "")]
