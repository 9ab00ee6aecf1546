"""Who the segments are: profiles and sentences from members that did not form them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.cells import Cells
from sojourn.core.results.segments import Features, Floats, Ints, Rule, Segmentation
from sojourn.core.results.segments_described import Profile
from sojourn.core.text import begun, count, number, percent
from sojourn.estimators.cluster.intervals import jeffreys
from sojourn.studies.segments.features import features
from sojourn.studies.segments.names import FAMILIES, TELLING, family_of, feature_words, segment_names
from sojourn.studies.segments.shown import Shown

#: A picture of profiles shows at most so many features.
MOST_TELLING = 14

_FAMILIES = list(FAMILIES)

#: What the sentence of a segment tells.
_TOLD = ("frequency", "recency", "monetary")


def profile(source: Cells | Features, found: Segmentation) -> Profile:
    """Return who the segments are, from members that were not used to form them.

    Parameters
    ----------
    source : Cells or Features
        The same that `find_segments` read.
    found : Segmentation
        Its result, whose frozen rule assigns the members.

    Returns
    -------
    Profile
        Means with intervals, and differences from everyone in standard deviations, each interval by itself.
    """
    seen = source if isinstance(source, Features) else features(source)
    now, shown = seen.now[~seen.fit], Shown.of(seen.meta, found.mass)
    rows = [
        {
            "segment": name,
            "family": family_of(str(feature)),
            "feature": feature_words(str(feature)),
            **_feature_row(now[feature].to_numpy(dtype=np.float64), inside, shown),
        }
        for name, inside in shown_segments(seen, found)
        for feature in sorted(now.columns, key=lambda feature: _FAMILIES.index(family_of(str(feature))))
        if differs(now[feature])
    ]
    return Profile(_with_telling(pd.DataFrame(rows)), found.mass)


def shown_segments(seen: Features, found: Segmentation) -> list[tuple[str, NDArray[np.bool_]]]:
    """Return name and members (of those who judge) of every segment that is large enough to be shown."""
    labels, shown = judged_labels(seen, found.rule), Shown.of(seen.meta, found.mass)
    each = ((name, labels == i) for i, name in enumerate(segment_names(seen, found.rule)))
    return [(name, inside) for name, inside in each if shown.size(int(inside.sum())) >= found.min_group]


def segment_table(found: Features, rule: Rule, *, mass: float, min_group: int) -> pd.DataFrame:
    """Return one row per segment with its name, size and sentence, as `Segmentation.table`."""
    labels, now = judged_labels(found, rule), found.now[~found.fit]
    shown, rows = Shown.of(found.meta, mass), []
    sizes = [shown.size(int((labels == i).sum())) for i in range(rule.k)]
    for i, name in enumerate(segment_names(found, rule)):
        n, all_of = sizes[i], sum(sizes)
        if n < min_group:
            continue
        low, high = map(float, jeffreys(n, all_of, mass))
        means = {
            what: shown.mean(now.loc[labels == i, what].to_numpy(), now[what].to_numpy())[0] for what in _TOLD
        }
        told = spends(now, labels == i, shown) and round(abs(means["monetary"]), 2) > 0
        sentence = _sentence(name, n / all_of, means, str(found.meta.get("currency", "")), spends=told)
        rows.append(
            {"segment": name, "n": n, "share": n / all_of, "share_low": low, "share_high": high}
            | {"sentence": sentence}
        )
    return pd.DataFrame(rows, columns=["segment", "n", "share", "share_low", "share_high", "sentence"])


def differs(values: pd.Series[float]) -> bool:
    """Return whether not all members have the same value."""
    return bool(values.max() > values.min())


def judged_labels(found: Features, rule: Rule) -> Ints:
    """Return the segment of every member that judges, by the frozen rule."""
    return rule.assign(found.x[~found.fit])


def spends(now: pd.DataFrame, inside: NDArray[np.bool_], shown: Shown) -> bool:
    """Return whether any member of a segment has paid; in private cases as many as the base."""
    return bool((now.loc[inside, "monetary"] != 0).sum() >= max(shown.base, 1))


def _sentence(name: str, share: float, means: Mapping[str, float], currency: str, *, spends: bool) -> str:
    """Return one sentence about a segment, from means in natural units."""
    days = count(means["recency"])
    spend = f", spending {number(means['monetary'], 2)} {currency}".rstrip() + " a month"
    return (
        f"{begun(name)}: {percent(share, 0)} of members; on average active on {number(means['frequency'])} "
        f"days a month, last seen {days} {'day' if days == '1' else 'days'} before the cut"
        f"{spend if spends else ''}."
    )


def _feature_row(values: Floats, inside: NDArray[np.bool_], shown: Shown) -> dict[str, float]:
    value, low, high = shown.mean(values[inside], values)
    difference, difference_low, difference_high = shown.difference(values, inside)
    return {
        "n": shown.size(int(inside.sum())),
        "value": value,
        "value_low": low,
        "value_high": high,
        "everyone": shown.mean(values, values)[0],
        "difference": difference,
        "difference_low": difference_low,
        "difference_high": difference_high,
    }


def _with_telling(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with `telling`: the features furthest from everyone, families kept together."""
    far = table["difference"].abs().groupby(table["feature"], sort=False).max()
    kept = far[far >= TELLING].sort_values(ascending=False, kind="stable").index[:MOST_TELLING]
    return table.assign(telling=table["feature"].isin(kept))
