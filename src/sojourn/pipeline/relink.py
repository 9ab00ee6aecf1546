"""`sojourn relink`: ids of the members of a list, written below ``private/``."""

from __future__ import annotations

import sys
from pathlib import Path

from sojourn.core.params import read_params
from sojourn.core.project import root
from sojourn.pipeline.private import only_mine


def relink(listed: Path, case: str, *, out: Path | None = None) -> Path:
    """Write a list of members anew with their ids, and say how many were found.

    Returns
    -------
    Path
        The file with the ids.
    """
    from sojourn.data.identity.relink import relink as with_ids

    with only_mine():
        done = with_ids(read_params(), case, listed, out=out)
    missing = f"; {done.missing:,} no longer in the case" if done.missing else ""
    print(
        f"  {case}: {done.found:,} found{missing}. The ids are in {done.path.relative_to(root())}, "
        "for you alone; the use is noted in private/relink.log.",
        file=sys.stderr,
    )
    return done.path
