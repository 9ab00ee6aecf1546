"""CDNOW: purchases of customers who first bought in the first quarter of 1997 (one-tenth sample).

The file is that of the package ``lifetimes``: customer number in the full data, number in the sample, date
(YYYYMMDD), number of CDs, dollars. Only days are known: a purchase is dated at local midnight of its day.
The number in the sample is the id: a member joins with the first purchase.
"""

from __future__ import annotations

from typing import Any

import ibis
from ibis import Table

from sojourn.data.sources.installed import installed_file

#: Times in these tables are those of the case's own clock.
CLOCK = "local"

_FIELDS = r"^\s*(\d+)\s+(\d+)\s+(\d{4})(\d{2})(\d{2})\s+(\d+)\s+(\S+)\s*$"


def tables(engine: Any) -> dict[str, Table]:
    """Return the table `events` of the contract.

    Parameters
    ----------
    engine : ibis backend
        Where the table is read.
    """
    path = installed_file("lifetimes", "lifetimes/datasets/CDNOW_sample.txt")
    lines = engine.read_csv(
        path, table_name="cdnow_lines", header=False, columns={"line": "VARCHAR"}, delim="\t"
    )
    part = lines.line.re_extract
    day = part(_FIELDS, 3) + "-" + part(_FIELDS, 4) + "-" + part(_FIELDS, 5)
    events = lines.select(
        member_id=part(_FIELDS, 2),
        occurred_at=day,
        event=ibis.literal("purchase"),
        amount=part(_FIELDS, 7),
    )
    return {"events": events}
