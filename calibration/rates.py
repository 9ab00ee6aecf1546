"""Rows of rates: in how many worlds something happened, and whether that is often or rare enough."""

from __future__ import annotations

from typing import Any


def rate_row(name: str, worlds: int, hits: int, goal: float, *, catch: bool = False) -> dict[str, Any]:
    """Return the row of a rate.

    Parameters
    ----------
    name : str
        Of what.
    worlds, hits : int
        Worlds, and in how many it happened.
    goal : float
        What the rate may be at most, or of a catch at least.
    catch : bool
        Whether it is one.
    """
    found = hits / worlds
    return {
        "estimand": name,
        "worlds": worlds,
        "goal": f"at {'least' if catch else 'most'} {goal:.4g}",
        "found": round(found, 4),
        "met": bool(found >= goal if catch else found <= goal),
    }
