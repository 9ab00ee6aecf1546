"""Names of the board's rows and columns, from the numbers and words of its cells, and of schemes."""

from __future__ import annotations

import re

import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.results.board import GONE, STAGES, TOO_NEW
from sojourn.core.results.trials import plain_scheme

_CODES = {-1: TOO_NEW, -2: GONE}
#: What trials are called that hold members out of something, and controls that are given nothing at all.
_HOLDOUT = re.compile(r"\bhold[ -]?out\b", re.IGNORECASE)
_HELD_OUT, _NOTHING = "held_out", ("none", "held_out", "control")


def names_of(cells: Cells) -> dict[int, str]:
    """Return names by the numbers of segments, with those who are too new for one and those who are gone."""
    return {i: str(name) for i, name in enumerate(cells.meta["segments"])} | _CODES


def rows_of(cells: Cells) -> tuple[str, ...]:
    """Return the rows of the board: segments in their order, last who is too new for one."""
    return (*(str(name) for name in cells.meta["segments"]), TOO_NEW)


def with_names(cells: Cells, table: str) -> pd.DataFrame:
    """Return a table of the cells with names of segments and stages, in the board's order."""
    rows = cells[table].copy()
    called = names_of(cells)
    rows["segment"] = rows["segment"].map(lambda code: called[int(code)])
    return rows[rows["stage"].isin(STAGES)]


def called(of: pd.Series, *, several: bool) -> str:
    """Return how a scheme is called for reading: so that its name alone says what members were given.

    Parameters
    ----------
    of : Series
        ``trial``, ``scheme``, ``control``. What members were held out of is named by what is left of the
        trial's name; a scheme that is only more or less of the control is named with its trial.
    several : bool
        Whether other trials have a scheme of that name.

    Examples
    --------
    >>> push = pd.Series({"trial": "holdout push", "scheme": "messages", "control": "held_out"})
    >>> called(push, several=True)
    'push messages'
    >>> called(pd.Series({"trial": "cadence", "scheme": "light", "control": "normal"}), several=False)
    'light (cadence)'
    """
    scheme, trial = plain_scheme(str(of["scheme"])), plain_scheme(str(of["trial"]))
    channel = " ".join(_HOLDOUT.sub(" ", trial).split())
    if of["control"] == _HELD_OUT and channel and channel != trial:
        return f"{channel} {scheme}"
    return f"{scheme} ({trial})" if several or of["control"] not in _NOTHING else scheme
