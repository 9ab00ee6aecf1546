"""Who is at which stage of a membership, in words: the rules of `sojourn.data.stages` with their days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sojourn.core.text import count, plural


def stage_rules(days: Mapping[str, Any], gone: str = "left") -> dict[str, str]:
    """Return by stage, in the order of a membership, who is at it.

    Parameters
    ----------
    days : mapping
        ``active_days``, ``growing_days``, ``silent_days``, as cells were made with.
    gone : str
        What those are called who have left and are not back.

    Examples
    --------
    >>> stage_rules({"active_days": 30, "growing_days": 90, "silent_days": 30})["silent"]
    'joined at least 30 days ago, and did nothing for 30 days'
    """
    new, growing, silent = (plural(days[f"{name}_days"], "day") for name in ("active", "growing", "silent"))
    since = count(days["active_days"])
    return {
        "new": f"joined less than {new} ago",
        "growing": f"joined {since} to {growing} ago, and did something in the last {silent}",
        "active": f"joined at least {growing} ago, and did something in the last {silent}",
        "silent": f"joined at least {new} ago, and did nothing for {silent}",
        "returned": "cancelled, and came back",
        gone: "cancelled, and is not back",
    }
