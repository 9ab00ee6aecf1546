"""What each segment did after the cut."""

from __future__ import annotations

import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.results.segments import Features, Segmentation
from sojourn.core.results.segments_described import EVERYONE, WhatNext
from sojourn.studies.segments.describe import differs, shown_segments
from sojourn.studies.segments.features import features
from sojourn.studies.segments.shown import Shown

_SHARES = {"active": "active_share", "stayed": "stayed_share"}
_MEANS = ("active_days", "spend")


def what_next(source: Cells | Features, found: Segmentation) -> WhatNext:
    """Return what the members of each segment did between the cut and ``as_of``.

    Parameters
    ----------
    source : Cells or Features
        The same that `find_segments` read.
    found : Segmentation
        Its result; only members that were not used to fit are counted.
    """
    seen = source if isinstance(source, Features) else features(source)
    after, shown = seen.next[~seen.fit], Shown.of(seen.meta, found.mass)
    rows = [
        {"segment": name, **_row(after[inside], after, shown)} for name, inside in shown_segments(seen, found)
    ]
    everyone = pd.DataFrame([{"segment": EVERYONE, **_row(after, after, shown)}])
    days, currency = int(seen.meta["params"]["outcome_days"]), str(seen.meta.get("currency", ""))
    return WhatNext(pd.DataFrame(rows), everyone, not found.has_groups, days, currency, found.mass)


def _row(group: pd.DataFrame, everyone: pd.DataFrame, shown: Shown) -> dict[str, float]:
    """Return shares and means of one segment; an outcome that is the same for everyone is left out."""
    row: dict[str, float] = {"n": shown.size(len(group))}
    for outcome, name in _SHARES.items():
        if differs(everyone[outcome]):
            share, low, high = shown.share(int(group[outcome].sum()), len(group))
            row |= {name: share, f"{name}_low": low, f"{name}_high": high}
    for outcome in _MEANS:
        if differs(everyone[outcome]):
            value, low, high = shown.mean(group[outcome].to_numpy(), everyone[outcome].to_numpy())
            row |= {outcome: value, f"{outcome}_low": low, f"{outcome}_high": high}
    return row
