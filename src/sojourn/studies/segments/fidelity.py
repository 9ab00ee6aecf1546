"""How faithful a rule is that was taken away: among members who taught neither it nor the segmentation."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from sojourn.core.normal import standard_errors
from sojourn.core.results.check import Check
from sojourn.core.results.segments import Features, Floats, Ints, Segmentation
from sojourn.core.results.take_away import Fidelity, SegmentFidelity, TakeAway
from sojourn.core.text import listing, number, percent
from sojourn.studies.segments.exam import group_errors
from sojourn.studies.segments.shown import Shown

#: What a rule carries until it is measured.
NOT_MEASURED = Fidelity(0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.95, ())

#: Catch rate and false-alarm rate of the check; tests of `take_away` repeat a part of the worlds.
RATES = (1.0, 0.0)
RATES_FROM = (
    "60 worlds of 3 to 5 planted groups, 2 in 100 members on the wrong side: rules with two segments "
    "exchanged, and trees of two ends; rules as they are made"
)

#: Decimals of everything that is published.
_DIGITS = 6


def fidelity(rule: TakeAway, seen: Features, found: Segmentation) -> TakeAway:
    """Return the rule with what members say of it who taught nothing.

    Parameters
    ----------
    rule : TakeAway
        The rule.
    seen, found : Features, Segmentation
        What it was learned from.

    Notes
    -----
    What members did next is explained as in the exam of the segmentation: members that fit teach the mean of
    each segment. The interval of what is lost is that of a mean of paired differences (normal approximation).
    """
    shown = Shown.of(seen.meta, found.mass)
    theirs, ours = found.rule.assign(seen.x), rule.assign(seen.counts)
    judged, said = theirs[~seen.fit], ours[~seen.fit]
    k = len(rule.segments)
    same = shown.share(int((judged == said).sum()), len(judged))
    measured = Fidelity(
        n=shown.size(len(judged)),
        **_bounded("same", same),
        largest=_rounded(shown.share(int(np.bincount(judged, minlength=k).max()), len(judged))[0]),
        kappa=_score(shown, kappa(judged, said)),
        **_explained(shown, group_errors(seen, ours + 1, k + 1), group_errors(seen, theirs, k)),
        mass=found.mass,
        segments=tuple(
            _segment(name, judged == i, said == i, shown, found.min_group)
            for i, name in enumerate(rule.segments)
        ),
    )
    return replace(rule, fidelity=measured)


def kappa(labels: Ints, others: Ints) -> float:
    """Return Cohen's kappa of two ways of labelling the same rows: 1 the same, 0 as by chance.

    Notes
    -----
    Cohen (1960), A coefficient of agreement for nominal scales, Educ. Psychol. Meas. 20, 37-46. It is 1 where
    both give everybody the same one label.
    """
    known = np.unique(np.concatenate([labels, others]))
    shares = [np.array([(x == label).mean() for label in known]) for x in (labels, others)]
    by_chance = float(shares[0] @ shares[1])
    return 1.0 if by_chance == 1 else (float((labels == others).mean()) - by_chance) / (1 - by_chance)


def check_take_away(rule: TakeAway) -> Check:
    """Return whether the rule can stand for the segmentation.

    Parameters
    ----------
    rule : TakeAway
        As `take_away` returns it.

    Notes
    -----
    It passes if at least 80 in 100 members (lower bound) get the same segment, kappa is at least 0.6 and no
    segment is lost; it fails below 60 in 100 or a kappa of 0.4. The bounds of kappa are those from which
    Landis and Koch (1977, Biometrics 33, 159-174) call agreement substantial, and below which only fair.
    """
    told, verdict, lost = rule.fidelity, rule.fidelity.verdict, rule.fidelity.lost_segments
    finding = (
        f"Of 100 members who did not teach it, {_in_100(told.same)} get the same segment from the rule "
        f"({_in_100(told.same_low)} to {_in_100(told.same_high)}; {_in_100(told.largest)} if everybody were "
        f"put into the largest one); kappa is {number(told.kappa, 2)}."
    )
    meaning = {
        "pass": "The rule can stand for the segmentation.",
        "warn": "The rule is a simplification: good for averages, not for single members.",
    }.get(verdict, "The rule is another segmentation. Score members with more than a short rule.")
    if lost:
        meaning += f" Half or more of {listing([f'“{name}”' for name in lost])} goes wrong."
    return Check("The rule gives the same segment", verdict, finding, meaning, *RATES, RATES_FROM)


def _in_100(share: float) -> str:
    return percent(share, 0).removesuffix(" %")


def _segment(name: str, theirs: Ints, ours: Ints, shown: Shown, min_group: int) -> SegmentFidelity:
    """Return how well one segment is found; groups below the smallest are told as nobody."""
    n, called, both = (int(part.sum()) for part in (theirs, ours, theirs & ours))
    told = [size if size >= min_group else 0 for size in (shown.size(n), shown.size(called))]
    nobody = (0.0, 0.0, 1.0)
    found = shown.share(both, n) if told[0] else nobody
    right = shown.share(both, called) if told[1] else nobody
    return SegmentFidelity(name, told[0], told[1], *map(_rounded, found), *map(_rounded, right))


def _explained(shown: Shown, ours: Floats, theirs: Floats) -> dict[str, float]:
    """Return what is explained of what members did next, and what the rule loses of it, with its interval."""
    lost = ours - theirs
    value = float(lost.mean())
    reach = standard_errors(shown.mass) * float(lost.std(ddof=1)) / math.sqrt(len(lost))
    bounds = {"lost": value, "lost_low": value - reach, "lost_high": value + reach}
    explained = {"explained": 1 - float(ours.mean()), "explained_by_segments": 1 - float(theirs.mean())}
    return {name: _score(shown, part) for name, part in (explained | bounds).items()}


def _score(shown: Shown, value: float) -> float:
    """Return a score of all members together: of private cases in hundredths."""
    return round(value, 2 if shown.base else _DIGITS) + 0.0


def _rounded(value: float) -> float:
    return round(value, _DIGITS) + 0.0


def _bounded(name: str, bounded: tuple[float, float, float]) -> dict[str, float]:
    value, low, high = (_rounded(part) for part in bounded)
    return {name: value, f"{name}_low": low, f"{name}_high": high}
