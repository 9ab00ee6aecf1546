"""Whether groups of members gain alike from a scheme."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sojourn.core.errors import ParameterError
from sojourn.core.ranges import in_range
from sojourn.core.results.trial_after import Fairness
from sojourn.core.results.trials import Trial, TrialResult
from sojourn.studies.trials.arms import Arms, make_arms
from sojourn.studies.trials.drawn import intervals
from sojourn.studies.trials.normal_bounds import Floats
from sojourn.studies.trials.pairs import draw_pairs, prior_on_model
from sojourn.studies.trials.told import told_of
from sojourn.studies.trials.trial import merged

#: What members may be grouped by, as far as the cells know it.
GROUPINGS = ("age_band", "gender", "region", "plan", "channel")
_SUMS = ("n", "kept", "total", "total_sq", "revenue")


def fairness(
    result: TrialResult,
    trial: Trial,
    *,
    rng: np.random.Generator,
    scheme: str | None = None,
    by: Sequence[str] = GROUPINGS,
    sure: float = 0.95,
    draws: int = 4_000,
) -> Fairness:
    """Return the lift of every known group, and the largest gap between two of them.

    Parameters
    ----------
    result : TrialResult
        From `compare_schemes`: its outcome, belief and mass are used.
    trial : Trial
        The trial it is of: its strata, and the groups of its table ``features``, if it has one.
    rng : Generator
        Source of the posterior draws.
    scheme : str, optional
        The only scheme that is looked at; all when not given.
    by : sequence of str
        What members are grouped by; what the cells do not know is left out.
    sure : float
        A gap is called real above this probability, divided over all gaps that are looked at (Bonferroni).
    draws : int
        Number of posterior draws.

    Returns
    -------
    Fairness
        Empty, with the reason, where no groups are known.

    Notes
    -----
    Groups are pooled as strata are (`compare_schemes`), each grouping by itself: a lift that rests on few
    members is drawn towards the scheme's own. A gap is that of the groups with the largest and smallest
    expected lift; because they are picked, its probability is read against a stricter threshold.
    """
    in_range(sure, "sure", gt=0.5, lt=1)
    in_range(draws, "draws", ge=1000)
    if result.schemes != trial.schemes:
        raise ParameterError(f"This result compares {', '.join(result.schemes)}; the trial has others.")
    asked = trial.schemes[1:] if scheme is None else (told_of(trial, scheme),)
    parts = [_gaps(result, groups, asked, draws, rng=rng) for groups in _groupings(result, trial, by)]
    count = sum(len(gaps) for gaps, _ in parts)
    empty = Fairness(
        trial.name, trial.control, result.outcome, result.words, result.currency, result.mass,
        1 - (1 - sure) / max(count, 1),
    )  # fmt: skip
    if not parts:
        return replace(empty, why_empty="No groups of members are known, so none are compared.")
    table, groups = (pd.concat(frames, ignore_index=True) for frames in zip(*parts, strict=True))
    return replace(empty, table=table, groups=groups)


@dataclass(frozen=True, slots=True)
class _Grouping:
    """Members by group: name, groups, arms with groups as strata, and costs (schemes, groups)."""

    name: str
    levels: tuple[str, ...]
    arms: Arms
    costs: Floats


def _groupings(result: TrialResult, trial: Trial, by: Sequence[str]) -> Iterator[_Grouping]:
    """Yield every grouping with two groups or more."""
    features, aim = trial.other("features"), "back" if trial.wins_back else "kept"
    known = result.outcome in (f"{aim}_at_{trial.meta['horizon_days']}", "net_value")
    named = [name for name in by if known and name in features]
    for name in named:
        found = _from_features(trial, features, name, result.kind)
        if found is not None:
            yield found
    strata = str(trial.meta.get("strata", "stratum"))
    if strata not in named and len(trial.strata) > 1:
        yield _Grouping(strata, trial.strata, make_arms(trial, result.outcome), _costs_of_strata(trial))


def _from_features(trial: Trial, features: pd.DataFrame, name: str, kind: str) -> _Grouping | None:
    sizes = features.pivot_table(index="scheme", columns=name, values="n", aggfunc="sum", fill_value=0)
    called = merged(sizes, max(trial.min_group, 2))
    groups = features[name].map(lambda level: called.get(level, level))
    levels = tuple(sorted(set(groups), key=lambda level: (level == "other", level)))
    if len(levels) < 2:
        return None
    there = [column for column in _SUMS if column in features]
    summed = features.assign(group=groups).groupby(["scheme", "group"])[there].sum()
    index = pd.MultiIndex.from_product([trial.schemes, levels])
    grids = {
        column: summed[column].reindex(index, fill_value=0).to_numpy(float).reshape(-1, len(levels))
        for column in there
    }
    n, mean = grids["n"], grids["total"] / grids["n"]
    costs = np.full(n.shape, np.nan)
    if "revenue" in grids and "margin" in trial.meta:
        costs = float(trial.meta["margin"]) * grids["revenue"] / n - mean
    if kind == "binary":
        mean = grids["kept"] / n
        return _Grouping(name, levels, Arms("binary", n, mean, mean * (1 - mean), np.zeros_like(n)), costs)
    variance = (grids["total_sq"] / n - mean**2) * n / (n - 1)
    return _Grouping(name, levels, Arms("value", n, mean, variance, np.zeros_like(n)), costs)


def _costs_of_strata(trial: Trial) -> Floats:
    if not {"revenue", "net_value"} <= set(trial.outcomes) or "margin" not in trial.meta:
        return np.full((len(trial.schemes), len(trial.strata)), np.nan)
    revenue, net = (make_arms(trial, name).mean for name in ("revenue", "net_value"))
    return float(trial.meta["margin"]) * revenue - net


def _gaps(
    result: TrialResult, of: _Grouping, asked: Sequence[str], draws: int, *, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the largest gap under every scheme asked for, and the groups themselves."""
    arms, levels = of.arms, of.levels
    gaps, groups = [], []
    for scheme in asked:
        place = result.schemes.index(scheme)
        [pair] = draw_pairs(arms.pair(place), prior_on_model(arms, result.prior), draws, rng=rng)
        lift = pair[:, 1] - pair[:, 0]
        told = intervals("lift", lift, result.mass)
        most, least = (int(at(told["lift"])) for at in (np.argmax, np.argmin))
        apart = lift[:, most] - lift[:, least]
        about = {"scheme": scheme, "grouping": of.name}
        ends = {"groups": len(levels), "most": levels[most], "least": levels[least]}
        gaps.append(
            {**about, **ends, **intervals("gap", apart, result.mass), "p_real": float((apart > 0).mean())}
        )
        members = (arms.members[place] + arms.members[0]).astype(int)
        raw = arms.mean[place] - arms.mean[0]
        columns = {"group": levels, "members": members, "raw_lift": raw, **told, "cost": of.costs[place]}
        groups.append(pd.DataFrame({**about, **columns}))
    return pd.DataFrame(gaps), pd.concat(groups, ignore_index=True)
