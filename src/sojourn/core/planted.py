"""What is planted in the trials of a simulated world, as cells hold it beside what they count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

What = Literal["lift", "net_gain"]


def planted_effects(meta: Mapping[str, Any], what: What, days: int) -> dict[tuple[str, str], float]:
    """Return true effects of schemes against the control of their trial, by trial and scheme.

    Parameters
    ----------
    meta : mapping
        What the cells say of themselves; only those of a simulated world hold ``truth``.
    what : str
        ``lift`` (share of members more who are kept) or ``net_gain`` (currency per member).
    days : int
        Days after assignment; trials whose truth is of another time are left out.

    Examples
    --------
    >>> told = {"horizon_days": 90, "schemes": [{"scheme": "coupon", "lift": 0.05}]}
    >>> planted_effects({"truth": {"main": told}}, "lift", 90)
    {('main', 'coupon'): 0.05}
    """
    return {
        (trial, scheme["scheme"]): float(scheme[what])
        for trial, known in meta.get("truth", {}).items()
        if known.get("horizon_days") == days
        for scheme in known.get("schemes", [])
    }
