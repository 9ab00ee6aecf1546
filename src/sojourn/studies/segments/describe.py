"""Who the segments are: profiles from members that did not form them, names and sentences by stated rules."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.results.segments import Features, Floats, Ints, NearestCentre, Rule, Segmentation
from sojourn.core.results.segments_described import Profile
from sojourn.core.text import count, number, percent
from sojourn.estimators.cluster.intervals import jeffreys
from sojourn.studies.segments.features import features
from sojourn.studies.segments.shown import Shown

#: A feature enters a segment's name if its mean is this many standard deviations from everyone's.
TELLING = 0.4

#: At most so many features make a name.
WORDS = 2

#: What a profile calls a feature, with its unit; a kind of event is a share of a member's events.
FEATURE_WORDS: Mapping[str, str] = {
    "recency": "days since last active",
    "frequency": "active days a month",
    "monetary": "spend a month",
    "intensity": "events an active day",
    "trend": "change in active days",
    "breadth": "kinds of events",
    "tenure": "days since joining",
    "weekend": "active days at weekends (share)",
}

#: What a segment is called when its mean is below, or above, everyone's: always in comparison.
NAMES: Mapping[str, tuple[str, str]] = {
    "frequency": ("less often active", "more often active"),
    "recency": ("seen more lately", "seen longer ago"),
    "monetary": ("lower spend", "higher spend"),
    "trend": ("slowing down", "picking up"),
    "intensity": ("lighter days", "busier days"),
    "breadth": ("fewer features", "more features"),
}

#: What the sentence of a segment tells.
_TOLD = ("frequency", "recency", "monetary")

_FRACTIONS = {3: "third", 4: "quarter", 5: "fifth", 6: "sixth", 8: "eighth", 10: "tenth"}
_ORDINALS = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


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
        Means with intervals, and differences from everyone in standard deviations.
    """
    seen = source if isinstance(source, Features) else features(source)
    labels, now = judged_labels(seen, found.rule), seen.now[~seen.fit]
    shown = Shown.of(seen.meta, found.mass)
    rows = [
        {
            "segment": name,
            "feature": FEATURE_WORDS.get(feature, f"{kind_words(feature)} (share)"),
            **_feature_row(now[feature].to_numpy(), labels == i, shown),
        }
        for i, name in enumerate(segment_names(seen, found.rule))
        if shown.size(int((labels == i).sum())) >= found.min_group
        for feature in now.columns
        if differs(now[feature])
    ]
    return Profile(pd.DataFrame(rows), found.mass)


def segment_table(found: Features, rule: Rule, *, mass: float, min_group: int) -> pd.DataFrame:
    """Return one row per segment with its name, size and sentence, as `Segmentation.table`."""
    labels, now = judged_labels(found, rule), found.now[~found.fit]
    shown, rows = Shown.of(found.meta, mass), []
    sizes = [shown.size(int((labels == i).sum())) for i in range(rule.k)]
    for i, name in enumerate(segment_names(found, rule)):
        n, all_of = sizes[i], sum(sizes)
        if n < min_group:
            continue
        low, high = jeffreys(n, all_of, mass)
        means = {
            what: shown.mean(now.loc[labels == i, what].to_numpy(), now[what].to_numpy())[0] for what in _TOLD
        }
        sentence = _sentence(
            name, n / all_of, means, str(found.meta.get("currency", "")), spends=spends(now, labels == i)
        )
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


def segment_names(found: Features, rule: Rule) -> tuple[str, ...]:
    """Return a short name per segment, by the order of the rule.

    Groups: up to two features, the most telling first, whose mean over the members that fit lies at least
    0.4 standard deviations from everyone's. Bands: their place in the order.
    """
    if not isinstance(rule, NearestCentre):
        return band_names(rule.k)
    x = found.x[found.fit]
    labels = rule.assign(x)
    means = np.array(
        [x[labels == i].mean(axis=0) if (labels == i).any() else x.mean(axis=0) for i in range(rule.k)]
    )
    return _distinct([_name(row, found.names) for row in means])


def band_names(bands: int) -> tuple[str, ...]:
    """Return names of bands of equal size, least active first.

    Examples
    --------
    >>> band_names(4)
    ('least active quarter', 'second quarter', 'third quarter', 'most active quarter')
    """
    if bands == 2:
        return ("less active half", "more active half")
    if bands in _FRACTIONS:
        part = _FRACTIONS[bands]
        middle = [f"{ordinal} {part}" for ordinal in _ORDINALS[: bands - 2]]
        return (f"least active {part}", *middle, f"most active {part}")
    return tuple(f"band {i} of {bands}, least active first" for i in range(1, bands + 1))


def _name(means: Floats, names: tuple[str, ...]) -> str:
    order = sorted(range(len(names)), key=lambda j: (-round(abs(float(means[j])), 6), j))
    words = [_word(names[j], float(means[j])) for j in order if abs(means[j]) >= TELLING]
    return ", ".join(words[:WORDS]) or "close to average"


def _word(feature: str, mean: float) -> str:
    low, high = NAMES.get(feature, (f"fewer {kind_words(feature)}", f"more {kind_words(feature)}"))
    return high if mean > 0 else low


def kind_words(kind: str) -> str:
    """Return a kind of event in words: what was used, and what was done there, in the plural.

    Examples
    --------
    >>> kind_words("view catalogue"), kind_words("task tasks"), kind_words("search")
    ('catalogue views', 'tasks', 'searches')
    """
    event, _, feature = kind.partition(" ")
    plural = event if event.endswith("s") else event + ("es" if event.endswith(("sh", "ch", "x")) else "s")
    if not feature or feature == plural:
        return plural
    return f"{feature} {plural}"


def _distinct(names: list[str]) -> tuple[str, ...]:
    """Number names that repeat."""
    return tuple(
        name if names.count(name) == 1 else f"{name} ({names[: i + 1].count(name)})"
        for i, name in enumerate(names)
    )


def spends(now: pd.DataFrame, inside: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> bool:
    """Return whether any member of a segment has paid."""
    return bool(now.loc[inside, "monetary"].abs().max() > 0)


def _sentence(name: str, share: float, means: Mapping[str, float], currency: str, *, spends: bool) -> str:
    """Return one sentence about a segment, from means in natural units."""
    spend = f", spending {number(means['monetary'], 2)} {currency}".rstrip() + " a month"
    return (
        f"{name[0].upper()}{name[1:]}: {percent(share, 0)} of members, active on "
        f"{number(means['frequency'])} days a month, last seen {count(means['recency'])} days before the cut"
        f"{spend if spends else ''}."
    )


def _feature_row(
    values: Floats, inside: np.ndarray[tuple[int], np.dtype[np.bool_]], shown: Shown
) -> dict[str, float]:
    value, low, high = shown.mean(values[inside], values)
    everyone, spread = shown.mean(values, values)[0], shown.spread(values)
    return {
        "n": shown.size(int(inside.sum())),
        "value": value,
        "value_low": low,
        "value_high": high,
        "everyone": everyone,
        "difference": (value - everyone) / spread,
        "difference_low": (low - everyone) / spread,
        "difference_high": (high - everyone) / spread,
    }
