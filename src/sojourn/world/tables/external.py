"""Table `external`: figures to compare with. All are made up for the simulated platform."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from sojourn.world.clock import DAY
from sojourn.world.parameters import Frame
from sojourn.world.tables.arrow import instants, money, table

#: Who is said to have published them.
SOURCE = "simulated benchmark"
#: Indicator, days before `as_of` on which it was published, value and unit.
FIGURES: tuple[tuple[str, int, float, str], ...] = (
    ("retention on day 30", 430, 0.8700, "share of joiners"),
    ("retention on day 30", 65, 0.8800, "share of joiners"),
    ("retention on day 90", 65, 0.6900, "share of joiners"),
    ("retention on day 180", 65, 0.5200, "share of joiners"),
    ("leaving in a month", 65, 0.0700, "share of members"),
    ("return within 90 days", 65, 0.1500, "share of leavers"),
    ("NPS", 430, 12.0000, "points"),
    ("NPS", 65, 15.0000, "points"),
    ("CSAT", 65, 3.6000, "points of 5"),
    ("time to first reply", 65, 9.0000, "hours, median"),
    ("breakage of points", 200, 0.1800, "share of points earned"),
    ("refunds", 200, 0.0500, "share of purchases"),
    ("opened e-mails", 200, 0.2200, "share of messages sent"),
    ("cost per joiner", 200, 4.5000, "money"),
)


def external_table(frame: Frame) -> Any:
    """Return table `external` of a world; it depends on nothing that is drawn."""
    indicator, ago, value, unit = zip(*FIGURES, strict=True)
    return table("external", [
        pa.array(indicator, pa.string()),
        instants(frame.as_of - np.array(ago) * DAY),
        money(np.rint(np.array(value) * 10_000).astype(np.int64), places=4),
        pa.array(unit, pa.string()),
        pa.array([SOURCE] * len(FIGURES), pa.string()),
    ])  # fmt: skip
