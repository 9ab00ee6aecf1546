"""How many members of today can be given the schemes of a trial as its own members were given them.

A trial that assigned members seven days after they joined tells what its schemes do then; who has been there
for a year is past that. One that assigned members who had stayed away tells nothing of who came yesterday.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ibis import Table

from sojourn.core.results.board import ONE_TIME
from sojourn.data.cells.board.states import CHURNED, everyone_at
from sojourn.data.cells.board.tried import placed
from sojourn.data.cells.retention.days import number
from sojourn.data.cells.trials.every import nine_in_ten
from sojourn.data.cells.trials.people import BACK
from sojourn.data.tidy import Tidy

_CELL = ("trial", "segment", "stage")


def due(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return by trial, segment and stage today's ``members``, and how many of them are ``due``.

    Notes
    -----
    By nine in ten members of the trial, at their own assignment: due is who is no older than they were, where
    they were assigned within `ONE_TIME` days of age (else all ages are), and has been silent for as long as
    they had, less the day before assignment, of which nothing is read. Who joined of late will be as old one
    day, and counts; who came of late need not stay away, and does not. Of members who had left all are due.
    A trial tells of members of its own state alone: those with us, or those who have left.
    """
    here = everyone_at(tidy, params)
    here = here.select("segment", "stage", "age", silent=here.silent.fill_null(here.age))
    rows = here.cross_join(_bounds(placed(tidy, params)))
    rows = rows.filter((rows.aim == BACK) == (rows.stage == CHURNED))
    in_time = (rows.age_high - rows.age_low > ONE_TIME) | (rows.age <= rows.age_high)
    is_due = (rows.aim == BACK) | (in_time & (rows.silent + 1 >= rows.silent_low))
    return rows.group_by(*_CELL).agg(members=rows.count(), due=number(is_due).sum().cast("int64"))


def _bounds(rows: Table) -> Table:
    """Return between which ages and days of silence members of each trial were assigned."""
    trials = rows.select("trial", "aim").distinct()
    for days in ("age", "silent"):
        trials = trials.inner_join(nine_in_ten(rows, days), "trial")
    return trials
