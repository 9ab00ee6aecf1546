"""Outcomes of trials in plain words."""

from __future__ import annotations

from collections.abc import Iterable

from sojourn.data.cells.trials.people import BACK


def words_of(aim: str, horizons: Iterable[int], value_days: int) -> dict[str, str]:
    """Return every outcome of a trial in words.

    Parameters
    ----------
    aim : str
        What the trial asks: who is kept, or who is back.
    horizons : iterable of int
        Days after which that is asked.
    value_days : int
        Days within which payments count.
    """
    there, member = (
        ("are back with us", "member who had left,") if aim == BACK else ("are still with us", "member")
    )
    return {
        **{f"{aim}_at_{days}": f"{there} {days} days after assignment" for days in horizons},
        "converted": f"paid something within {value_days} days",
        "opted_out": f"refused messages within {value_days} days",
        "revenue": f"revenue per {member} within {value_days} days",
        "net_value": f"net value per {member} within {value_days} days",
        "revenue_per_active_day": f"revenue per day on which a member came, within {value_days} days",
        "events_per_active_day": f"events per day on which a member came, within {value_days} days",
    }
