"""Cells of the board of a small drawn world, made from its tables."""

from datetime import UTC, datetime, timedelta

import board_rule
import tidy_worlds
from sojourn.data.cells import make_cells
from sojourn.data.tidy import Tidy
from sojourn.world import make_world

AS_OF, FROM = datetime(2025, 7, 1, 4, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PARAMS = {
    "leave_days": [20, 60], "months": 3, "active_days": 30, "growing_days": 90, "silent_days": 20,
    "horizon_days": 30, "value_days": 40, "margin": 0.5, "cost_per_member": {"welcome_coupon": 0.25},
}  # fmt: skip
TABLES = ("members", "events", "spells", "assignments", "costs")


def tidy(frames, **meta):
    said = {"as_of": AS_OF.isoformat(), "observed_from": FROM.isoformat(), "time_zone": "Europe/Berlin"}
    said |= {"first_instant": (FROM - 90 * DAY).isoformat(), "currency": "EUR"}
    return Tidy("demo", tidy_worlds.tables(frames), {**said, **meta})


def make(frames, *, base=0, params=PARAMS, rule=None, **meta):
    return make_cells(tidy(frames, **meta), "board", params, base=base, handed=board_rule.handed(rule))


def drawn():
    """Return tables of the world."""
    return tidy_worlds.frames_of(make_world(members=400, seed=4, as_of=AS_OF, start=FROM), TABLES)
