"""Whom to give a scheme to: everyone, no one, or those for whom something is expected of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sojourn.core.ranges import in_range, one_of
from sojourn.core.results.trial_targeting import (
    EVERYONE,
    NO_ONE,
    POLICIES,
    RISK,
    UNDECIDED,
    UPLIFT,
    VALUE,
    Policies,
)
from sojourn.core.results.trials import Trial
from sojourn.studies.trials.arms import make_arms
from sojourn.studies.trials.normal_bounds import Floats, bounded
from sojourn.studies.trials.targeting import Grams, Learned, Patterned, grams, learn, patterned, top
from sojourn.studies.trials.told import not_told

OUTCOME = "net_value"
#: Members are told by the thousand.
_THOUSAND = 1_000.0
#: Members of either scheme that learning needs.
LEAST_MEMBERS = 400
#: Thirds of members by expected uplift.
BANDS = ("highest third", "middle third", "lowest third")


def policies(
    trial: Trial,
    scheme: str | None = None,
    *,
    mass: float,
    rng: np.random.Generator,
    share: float = 0.3,
    splits: int = 25,
    folds: int = 5,
) -> Policies:
    """Compare what a scheme earns by whom it is given to.

    Parameters
    ----------
    trial : Trial
        Its cells need the table ``features``.
    scheme : str, optional
        The scheme to give; the one with the largest net value when not given.
    mass : float
        Probability mass of every interval, in (0, 1).
    rng : Generator
        Source of the splits.
    share : float
        Share of members that "highest risk" and "highest value" give the scheme to, in (0, 1).
    splits, folds : int
        How often blocks of members are split, and into how many folds: at least 20 and 2.

    Returns
    -------
    Policies
        Empty, with the reason, where nothing is known of members before assignment.

    Notes
    -----
    Every member is judged by rules that were learned without its fold, by the augmented inverse probability
    weighted estimate of a policy's value with the chances of the lot [1]_. The estimate is the median over
    splits, and its variance the median of a split's own variance plus its squared distance from that
    median [2]_: so an interval includes what another split would have learned.

    .. [1] Athey, S., Wager, S. (2021). Policy learning with observational data. Econometrica 89, 133-161.
    .. [2] Chernozhukov, V. et al. (2018). Double/debiased machine learning for treatment and structural
       parameters. The Econometrics Journal 21, C1-C68.
    """
    in_range(mass, "mass", gt=0, lt=1)
    in_range(share, "share", gt=0, lt=1)
    in_range(splits, "splits", ge=20)
    in_range(folds, "folds", ge=2)
    schemes = trial.schemes[1:]
    chosen = one_of(scheme, "scheme", schemes) if scheme is not None else _most_valuable(trial)
    empty = Policies(
        trial.name, trial.control, chosen, str(trial.meta.get("currency", "")), trial.words(OUTCOME),
        int(trial.meta["horizon_days"]), mass, share, splits=splits, folds=folds,
        members_are=" who had left" if trial.wins_back else "",
    )  # fmt: skip
    data = patterned(trial, chosen)
    why = _why_not(data, folds)
    if data is None:
        what = "what members were like one by one, so nobody can be picked"
        why = not_told(trial, "features", what, why)
    if data is None or why:
        return replace(empty, why_empty=why)
    judged = judge(data, rng=rng, share=share, splits=splits, folds=folds)
    table = _table(judged, mass)
    return replace(
        empty,
        members=int(data.n.sum()),
        table=table,
        bands=_bands(judged, mass),
        best=_best(table),
        knows=data.names,
    )


def _most_valuable(trial: Trial) -> str:
    if OUTCOME not in trial.outcomes:
        return trial.schemes[1]
    mean, _ = make_arms(trial, OUTCOME).standardised()
    return trial.schemes[1 + int(np.argmax(mean[1:]))]


def _why_not(data: Patterned | None, folds: int) -> str:
    if data is None:
        return "These cells do not tell what was known of members before assignment, so nobody can be picked."
    if len(data.n) < folds or data.n.sum(axis=(0, 1)).min() < LEAST_MEMBERS:
        return f"A scheme has fewer than {LEAST_MEMBERS} members: too few to learn whom to give it to."
    if not data.total_sq.any():
        return "Net value is the same for every member, so there is nothing to learn."
    return ""


@dataclass(frozen=True, slots=True)
class Judged:
    """Estimates of all splits.

    Attributes
    ----------
    value, variance : array (splits, policies, 2)
        Of a member's outcome above giving the scheme to no one and to everyone.
    treated : array (splits, policies)
        Share of members who are given the scheme.
    band, band_variance, expected : array (splits, 3)
        Uplift found in each third of members by expected uplift, its variance, and the expected one.
    """

    value: Floats
    variance: Floats
    treated: Floats
    band: Floats
    band_variance: Floats
    expected: Floats


def judge(data: Patterned, *, rng: np.random.Generator, share: float, splits: int, folds: int) -> Judged:
    """Learn and judge all policies on every split of the blocks."""
    sums = grams(data)
    found = [_one_split(data, sums, fold_of_blocks(len(data.n), folds, rng), share) for _ in range(splits)]
    return Judged(*(np.stack(parts) for parts in zip(*found, strict=True)))


def fold_of_blocks(blocks: int, folds: int, rng: np.random.Generator) -> np.ndarray:
    """Return the fold of every block: folds of equal sizes, or as equal as can be."""
    return np.asarray(rng.permutation(np.arange(blocks) % folds))


def _one_split(data: Patterned, sums: Grams, fold: np.ndarray, share: float) -> tuple[Floats, ...]:
    count = len(POLICIES)
    moments, treated = np.zeros((2, count, 2)), np.zeros(count)
    band, expected = np.zeros((5, len(BANDS))), np.zeros(len(BANDS))
    members = float(data.n.sum())
    for number in range(int(fold.max()) + 1):
        inside = fold == number
        rules = learn(sums, ~inside, data.chance)
        trained = data.n[~inside].sum(axis=(0, 2))
        judged = _scored(data, inside, rules)
        given, thirds = treatments(rules, trained, share), _thirds(rules, trained)
        for other, reference in enumerate((0.0, 1.0)):
            moments[:, :, other] += _weighed(given - reference, *judged)[:2]
        band += _weighed(thirds, *judged)
        treated += given @ judged[0]
        expected += (thirds * rules.uplift) @ judged[0]
    mean = moments[0] / members
    spread = (moments[1] / members - mean**2) / members
    found = band[0] / band[2]
    own = (band[1] - 2 * found * band[3] + found**2 * band[4]) / band[2] ** 2
    return mean, spread, treated / members, found, own, expected / band[2]


def treatments(rules: Learned, n: Floats, share: float) -> Floats:
    """Return how likely each policy of `POLICIES` gives every pattern the scheme (policies, patterns)."""
    nobody = np.zeros(len(n))
    by_name = {
        NO_ONE: nobody,
        EVERYONE: nobody + 1,
        RISK: top(rules.leaves, n, share),
        VALUE: top(rules.control, n, share),
        UPLIFT: (rules.uplift > 0).astype(float),
    }
    return np.stack([by_name[name] for name in POLICIES])


def _thirds(rules: Learned, n: Floats) -> Floats:
    upper, lower = top(rules.uplift, n, 1 / 3), top(rules.uplift, n, 2 / 3)
    return np.stack([upper, lower - upper, 1 - lower])


def scores(rules: Learned, chance: float) -> tuple[Floats, Floats]:
    """Return level (patterns, 2) and slope (2,): a member's uplift is scored level plus slope x outcome."""
    given = rules.control + rules.uplift
    level = np.stack([rules.uplift + rules.control / (1 - chance), rules.uplift - given / chance], axis=1)
    return level, np.array([-1 / (1 - chance), 1 / chance])


def _scored(data: Patterned, inside: np.ndarray, rules: Learned) -> tuple[Floats, Floats, Floats]:
    """Return members of some blocks, the sum of their scores and of its squares, by pattern."""
    n, total, total_sq = (sums[inside].sum(axis=0) for sums in (data.n, data.total, data.total_sq))
    level, slope = scores(rules, data.chance)
    score = n * level + slope * total
    square = n * level**2 + 2 * level * slope * total + slope**2 * total_sq
    return n.sum(axis=1), score.sum(axis=1), square.sum(axis=1)


def _weighed(weight: Floats, n: Floats, score: Floats, square: Floats) -> Floats:
    """Return sums over members of w s, (w s)², w, w² s and w² (5, rows), for weights (rows, patterns)."""
    squared = weight**2
    return np.stack([weight @ score, squared @ square, weight @ n, squared @ score, squared @ n])


def over_splits(value: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return the median over splits (first axis), and its variance with what splits differ by."""
    middle = np.median(value, axis=0)
    return middle, np.median(variance + (value - middle) ** 2, axis=0)


def _table(judged: Judged, mass: float) -> pd.DataFrame:
    value, variance = over_splits(judged.value, judged.variance)
    value, variance = _THOUSAND * value, _THOUSAND**2 * variance
    return pd.DataFrame(
        {
            "policy": POLICIES,
            "treated_share": np.median(judged.treated, axis=0),
            **bounded("amount_per_1000", value[:, 0], variance[:, 0], mass),
            **bounded("against_everyone_amount", value[:, 1], variance[:, 1], mass),
        }
    )


def _bands(judged: Judged, mass: float) -> pd.DataFrame:
    value, variance = over_splits(judged.band, judged.band_variance)
    return pd.DataFrame(
        {
            "band": BANDS,
            "expected_amount": np.median(judged.expected, axis=0),
            **bounded("amount", value, variance, mass),
        }
    )


def _best(table: pd.DataFrame) -> str:
    """Return the policy that surely beats those without learning, or surely is the better of these."""
    above, least, beats = (
        dict(zip(table["policy"], table[name].to_numpy(float), strict=True))
        for name in ("amount_per_1000", "amount_per_1000_low", "against_everyone_amount_low")
    )
    learned = [p for p in (RISK, VALUE, UPLIFT) if least[p] > 0 and beats[p] > 0]
    if learned:
        return max(learned, key=lambda policy: above[policy])
    if least[EVERYONE] > 0:
        return EVERYONE
    most = dict(zip(table["policy"], table["amount_per_1000_high"].to_numpy(float), strict=True))
    return NO_ONE if most[EVERYONE] < 0 else UNDECIDED
