"""Names of segments, by stated rules: what a segment does more or less of than everyone, not its worth.

1. A feature may enter a name if the segment's mean over the members that fit lies at least `TELLING` standard
   deviations from everyone's. The further away, the earlier it is asked.
2. A name has four places, in this order: how often (``frequent``), when (``weekend``), a noun
   (``catalogue viewers``, else ``members``) and one clause (``who spend more``). A feature takes its own
   place if that is free; at most `WORDS` places are taken, so features that say the same do not say it twice.
   Of kinds of events a larger share tells first (``keen on tasks``), a smaller one only where nothing else
   does.
3. A segment near everyone in all features is ``members close to the average``.
4. Names that repeat are numbered along the feature in which the segments that share the name differ most
   among each other, from the lowest: ``frequent members (1 of 2 by spend a month)``.
5. Bands of a gradient are named after their place in the order.

Words compare behaviour with everyone's and judge nobody. Nothing in a name depends on the order of rows or on
the numbers that a method gave to its groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sojourn.core.bands import band_names
from sojourn.core.measures import HOURS
from sojourn.core.results.segments import Features, Floats, NearestCentre, Rule

#: A feature enters a segment's name if its mean is this many standard deviations from everyone's.
TELLING = 0.4

#: At most so many features make a name.
WORDS = 3

Place = Literal["how", "when", "noun", "clause"]


@dataclass(frozen=True, slots=True)
class Word:
    """What a feature says of a segment that has less, or more, of it than everyone; empty: nothing."""

    place: Place
    less: str
    more: str


#: By the name of the feature; kinds of events make their own (`_kind`).
NAMES: Mapping[str, Word] = {
    "frequency": Word("how", "occasional", "frequent"),
    "recency": Word("how", "recently seen", "long unseen"),
    "tenure": Word("how", "newer", "long-standing"),
    "weekend": Word("when", "weekday", "weekend"),
    "night": Word("when", "", "night-time"),
    "morning": Word("when", "", "morning"),
    "afternoon": Word("when", "", "afternoon"),
    "evening": Word("when", "", "evening"),
    "monetary": Word("clause", "who spend less", "who spend more"),
    "trend": Word("clause", "who come less than before", "who come more than before"),
    "intensity": Word("clause", "who do less a day", "who do more a day"),
    "breadth": Word("clause", "who do fewer kinds of things", "who do more kinds of things"),
    "features": Word("clause", "who use fewer features", "who use more features"),
    "categories": Word("clause", "who look into fewer categories", "who look into more categories"),
    "social": Word("clause", "who share and comment less", "who share and comment more"),
    "referral": Word("clause", "who bring fewer others", "who bring more others"),
    "messages": Word("clause", "who open fewer messages", "who open more messages"),
    "clicks": Word("clause", "who follow fewer messages", "who follow more messages"),
    "earning": Word("clause", "who earn fewer points", "who earn more points"),
    "redeeming": Word("clause", "who redeem fewer points", "who redeem more points"),
    "saving": Word("clause", "with fewer points saved up", "with more points saved up"),
}

#: What features tell of, in the order in which a profile shows it.
FAMILIES: Mapping[str, tuple[str, ...]] = {
    "how much": ("recency", "frequency", "intensity", "trend", "tenure"),
    "money": ("monetary",),
    "what they do": ("breadth", "features", "categories"),
    "when": ("weekend", *HOURS),
    "with others": ("social", "referral"),
    "messages and points": ("messages", "clicks", "earning", "redeeming", "saving"),
}

#: What members who do something often are called, where English has a word for it.
_WHO: Mapping[str, str] = {
    "view": "viewers",
    "search": "searchers",
    "purchase": "buyers",
    "buy": "buyers",
    "order": "buyers",
    "read": "readers",
    "watch": "watchers",
    "listen": "listeners",
    "play": "players",
    "comment": "commenters",
}

#: Kinds of events that come before all others and say nothing of what members are after.
_ENTRANCES = ("login", "visit", "session", "join", "activate")

#: Words that end as a plural does, and are none.
_NO_PLURAL = ("news", "series", "sports")

#: How the clause of a kind of events begins that is a smaller share of what is done.
_SMALLER = "less keen on"

_NEAR = "members close to the average"

#: What a feature is called where it stands alone, with its unit; a kind of event is a share of what is done.
FEATURE_WORDS: Mapping[str, str] = {
    "recency": "days since last active",
    "frequency": "active days a month",
    "monetary": "spend a month",
    "intensity": "events an active day",
    "trend": "change in active days",
    "breadth": "kinds of events",
    "tenure": "days since joining",
    "weekend": "active days at weekends (share)",
    "night": "events at night (share)",
    "morning": "events in the morning (share)",
    "afternoon": "events in the afternoon (share)",
    "evening": "events in the evening (share)",
    "features": "features used",
    "categories": "categories of items",
    "social": "social events a month",
    "referral": "members brought",
    "messages": "messages opened (share)",
    "clicks": "opened messages clicked (share)",
    "earning": "points earned a month",
    "redeeming": "points redeemed a month",
    "saving": "points left",
}


#: Names that no kind of events can have as a feature.
_TAKEN = frozenset((*NAMES, *FEATURE_WORDS, *HOURS))


def segment_names(found: Features, rule: Rule) -> tuple[str, ...]:
    """Return a short name per segment, in the order of the rule; the rules stand at the top of this file."""
    if not isinstance(rule, NearestCentre):
        return band_names(rule.k)
    x = found.x[found.fit]
    labels = rule.assign(x)
    everyone = x.mean(axis=0)
    means = np.array(
        [x[labels == i].mean(axis=0) if (labels == i).any() else everyone for i in range(rule.k)]
    )
    return distinct([named(row, found.names) for row in means], means, found.names)


def kind_names(meta: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of kinds of events as features: none is that of another feature.

    Examples
    --------
    >>> kind_names({"kinds": ["order", "referral", "view news"]})
    ('order', 'event referral', 'view news')
    """
    return tuple(f"event {kind}" if kind in _TAKEN else kind for kind in meta.get("kinds", ()))


def named(means: Floats, names: Sequence[str]) -> str:
    """Return the name of a segment whose standardised features have these means.

    Examples
    --------
    >>> named(np.array([0.9, 0.5, 1.4]), ["frequency", "monetary", "view catalogue"])
    'frequent catalogue viewers who spend more'
    >>> named(np.array([-0.2, 0.1]), ["frequency", "monetary"])
    'members close to the average'
    """
    taken: dict[Place, str] = {}
    for j in _by_distance(means, names):
        word = word_of(names[j])
        said = word.more if means[j] > 0 else word.less
        place = _place(names[j], word, means[j])
        smaller = place == "clause" and said.startswith(_SMALLER) and bool(taken)
        if abs(means[j]) >= TELLING and said and place not in taken and len(taken) < WORDS and not smaller:
            taken[place] = said
    if not taken:
        return _NEAR
    noun = taken.get("noun", "members")
    return " ".join(filter(None, (taken.get("how"), taken.get("when"), noun, taken.get("clause"))))


def feature_words(feature: str) -> str:
    """Return what a feature is called, with its unit.

    Examples
    --------
    >>> feature_words("frequency"), feature_words("view catalogue")
    ('active days a month', 'catalogue views (share)')
    """
    return FEATURE_WORDS.get(feature) or f"{kind_words(feature)} (share)"


def family_of(feature: str) -> str:
    """Return what a feature tells of: one of `FAMILIES`, kinds of events being what members do."""
    return next((family for family, names in FAMILIES.items() if feature in names), "what they do")


def word_of(feature: str) -> Word:
    """Return what a feature says of a segment."""
    return NAMES.get(feature) or _kind(feature)


def _by_distance(means: Floats, names: Sequence[str]) -> list[int]:
    """Return the places of features, furthest from everyone first; smaller shares of a kind come last."""

    def place(j: int) -> tuple[bool, float, int]:
        return names[j] not in NAMES and means[j] < 0, -round(abs(float(means[j])), 6), j

    return sorted(range(len(means)), key=place)


def _place(feature: str, word: Word, mean: float) -> Place:
    """Return the place a word takes: who does less of something is no noun."""
    return "clause" if feature not in NAMES and mean < 0 else word.place


def _kind(feature: str) -> Word:
    """Return the word of a kind of events: a noun for who does more of it, where there is one."""
    event, _, of = feature.partition(" ")
    if event in _ENTRANCES:
        return Word("clause", "", "")
    less, more = (f"{keen} {kind_words(feature)}" for keen in (_SMALLER, "keen on"))
    if event not in _WHO:
        return Word("clause", less, more)
    return Word("noun", less, f"{'' if of == event else _beside(of)} {_WHO[event]}".strip())


def _beside(noun: str) -> str:
    """Return a noun as it stands before another one.

    Examples
    --------
    >>> _beside("offers"), _beside("news"), _beside("catalogue")
    ('offer', 'news', 'catalogue')
    """
    return noun.removesuffix("s") if noun not in _NO_PLURAL and not noun.endswith("ss") else noun


def kind_words(kind: str) -> str:
    """Return a kind of event in words: what was used, and what was done there, in the plural.

    Examples
    --------
    >>> kind_words("view catalogue"), kind_words("task tasks"), kind_words("search search")
    ('catalogue views', 'tasks', 'searches')
    """
    event, _, feature = kind.partition(" ")
    plural = event if event.endswith("s") else event + ("es" if event.endswith(("sh", "ch", "x")) else "s")
    if not feature or feature in (plural, event):
        return plural
    return f"{_beside(feature)} {plural}"


def distinct(names: Sequence[str], means: Floats, features: Sequence[str]) -> tuple[str, ...]:
    """Return names of which no two are alike: numbered where they repeat.

    Parameters
    ----------
    names : sequence of str
        One per segment.
    means : array (segments, features)
        By which names that repeat are told apart.
    features : sequence of str
        Names of the columns of `means`.
    """
    told = list(names)
    for name in sorted({one for one in names if list(names).count(one) > 1}):
        same = [i for i, one in enumerate(names) if one == name]
        for i, more in zip(same, _apart(name, means[same], features), strict=True):
            told[i] = more
    return tuple(told)


def _apart(name: str, means: Floats, features: Sequence[str]) -> list[str]:
    """Return names for segments that share one, by the feature in which they differ most."""
    width = np.round(means.max(axis=0) - means.min(axis=0), 6)
    j, many = int(np.argmax(width)), len(means)
    rank = np.argsort(np.argsort(means[:, j], kind="stable"), kind="stable")
    by = feature_words(features[j])
    return [f"{name} ({place + 1} of {many} by {by})" for place in rank]
