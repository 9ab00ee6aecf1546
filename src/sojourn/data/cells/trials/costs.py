"""What schemes cost, as the case has booked it."""

from __future__ import annotations

from sojourn.core.errors import DataError
from sojourn.data.cells.trials.people import STUDY
from sojourn.data.tidy import Tidy


def refuse_shared_costs(tidy: Tidy) -> None:
    """Refuse costs of a scheme that belong to no member.

    Raises
    ------
    DataError
        When there are such rows.
    """
    if "costs" not in tidy.tables:
        return
    costs = tidy.table("costs", STUDY)
    shared = costs.filter(costs.scheme.notnull() & costs.member.isnull())
    bad, rows = int(shared.count().execute()), int(costs.count().execute())
    if bad:
        schemes = shared.select("scheme").distinct().order_by("scheme").limit(3).execute()["scheme"].tolist()
        raise DataError.in_rows(
            "costs",
            "member",
            "a scheme's cost belongs to no member",
            bad_rows=bad,
            all_rows=rows,
            examples=schemes,
            hint="State it per member as `cells.cost_per_member` of the study and leave these rows out.",
        )
