"""All trials of a case together: effects shrunk by what trials usually do, decisions, their sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy import stats

from sojourn.core.cells import Cells
from sojourn.core.interval import Interval
from sojourn.core.planted import planted_effects
from sojourn.core.ranges import in_range
from sojourn.core.results.portfolio import Portfolio
from sojourn.core.results.trial_plan import LiftPrior
from sojourn.core.text import plural
from sojourn.estimators.bayes.by_lot import CONTROLS, LEAST
from sojourn.estimators.bayes.empirical import Law, Mixture, stated
from sojourn.estimators.bayes.model import Floats
from sojourn.studies.portfolio.effects import (
    described,
    knows_before,
    outcomes,
    trial_effects,
    trials_left_out,
    unjudged,
)
from sojourn.studies.portfolio.priors import LEAST_PAST, best_law

_DRAWS = 4000


def portfolio(
    cells: Cells,
    outcome: str,
    *,
    rope: float,
    threshold: float,
    rng: np.random.Generator,
    mass: float = 0.95,
    control: str | Sequence[str] = CONTROLS,
    min_group: int = LEAST,
    belief: LiftPrior | Sequence[float] | None = None,
    reach: float | None = None,
) -> Portfolio:
    """Lay all trials of a case side by side, shrink their effects and decide on each.

    Parameters
    ----------
    cells : Cells
        With the table ``trials``; see `trial_effects`, also for trials that are left out.
    outcome : str
        The outcome that decides.
    rope, threshold : float
        A scheme is worth it when the chance of a lift above `rope` exceeds `threshold`; of several of one
        trial the one of the largest expected lift ships.
    rng : Generator
        Source of draws for sums over trials.
    mass : float
        Probability mass of every interval.
    control : str or sequence of str
        Scheme with which the others of a trial are compared: the first of these names that the trial has.
    min_group : int
        Schemes with fewer members who can be judged are left out.
    belief : LiftPrior or sequence of float, optional
        A belief of lifts that was stated before, or its bounds and the mass between them. Without one, or
        with an empty sequence, the law of lifts is learned from these trials (at least 10).
    reach : float, optional
        Members who would get a scheme that ships; as many as were compared for it when not stated.

    Notes
    -----
    Posterior means need no correction for having been selected: selection depends on the data alone, and the
    posterior has seen them. What shipped schemes were measured at is too high on average, by as much as the
    columns `raw_lift` and `lift` of `curse` differ (winner's curse). This holds as far as the belief does.
    """
    in_range(mass, "mass", gt=0, lt=1)
    in_range(threshold, "threshold", gt=0.5, lt=1)
    rule = _Rule(rope, threshold, mass)
    if not isinstance(belief, LiftPrior):
        belief = LiftPrior(*belief) if belief else None
    blank = described(cells, outcome) | asdict(rule) | {"belief": belief, "reach": reach}
    if outcome not in outcomes(cells):
        blank |= {"left_out": unjudged(cells)}
        return Portfolio(**blank, why_empty="There are no cells of several trials with this outcome.")
    effects = trial_effects(cells, outcome, control=control, min_group=min_group)
    blank |= {
        "left_out": trials_left_out(cells, outcome, effects, control, min_group),
        "knows_before": knows_before(cells),
    }
    if effects["trial"].nunique() < (LEAST_PAST if belief is None else 1):
        return Portfolio(**blank, why_empty=_too_few(effects["trial"].nunique()))
    law, tails = (stated(belief.mean, belief.sd), "normal") if belief else best_law(effects)
    table = _judged(effects, law, _truth(cells, outcome), rule)
    running, curse = _summed(table, law, reach, mass, rng)
    return Portfolio(
        **blank,
        tails=tails,
        spread=_spread(law, mass),
        table=table,
        running=running,
        curse=curse,
        p_fit=_fit(effects, law),
    )


@dataclass(frozen=True, slots=True)
class _Rule:
    rope: float
    threshold: float
    mass: float


def _too_few(trials: int) -> str:
    if not trials:
        return "There is no trial whose schemes can be compared."
    there = f"There {'is' if trials == 1 else 'are'} {plural(trials, 'trial')} to lay side by side"
    return f"{there}; what trials usually do is learned from {LEAST_PAST} or more."


def _spread(law: Law, mass: float) -> Interval:
    order = np.argsort(law.spread(), kind="stable")
    at = np.cumsum(law.weights[order]) - law.weights[order] / 2
    low, middle, high = np.interp([(1 - mass) / 2, 0.5, (1 + mass) / 2], at, law.spread()[order])
    return Interval(float(middle), float(low), float(high), mass, "eti")


def _fit(effects: pd.DataFrame, law: Law) -> float:
    """Return the p-value of centre, spread and the most surprising of the estimates (Bonferroni).

    Schemes that share a control err together, so the first of every trial counts.
    """
    first = effects[~effects["trial"].duplicated()]
    seen = law.seen(first["error"].to_numpy())
    chance = seen.above(first["effect"].to_numpy())
    z = stats.norm.isf(np.clip(chance, 1e-15, 1 - 1e-15))
    spread = stats.chi2.sf(z @ z, z.size)
    centre = 2 * stats.norm.sf(abs(z.sum()) / np.sqrt(z.size))
    worst = 2 * z.size * stats.norm.sf(np.abs(z).max())
    return float(min(1.0, 3 * min(2 * spread, 2 * (1 - spread), centre, worst)))


def _truth(cells: Cells, outcome: str) -> dict[tuple[str, str], float]:
    """Return planted lifts of a simulated case, by trial and scheme, where they are of the same days."""
    if outcome == "net_value":
        return planted_effects(cells.meta, "net_gain", int(cells.meta.get("horizon_days", 0)))
    days = outcome.removeprefix("kept_at_")
    return planted_effects(cells.meta, "lift", int(days)) if days.isdigit() else {}


def _judged(
    effects: pd.DataFrame, law: Law, truth: Mapping[tuple[str, str], float], rule: _Rule
) -> pd.DataFrame:
    effect, error = effects["effect"].to_numpy(), effects["error"].to_numpy()
    posterior = law.posterior(effect, error)
    raw = Mixture(np.ones((effect.size, 1)), effect[:, None], error[:, None])
    table = effects[["trial", "scheme", "control", "members"]].assign(raw_lift=effect, error=error)
    for name, of in (("raw_lift", raw), ("lift", posterior)):
        low, high = of.interval(rule.mass)
        table = table.assign(**{name: of.mean, f"{name}_low": low, f"{name}_high": high})
    table["p_worth"] = posterior.above(rule.rope)
    table["verdict"] = _verdicts(table, rule.threshold)
    if truth:
        table["truth"] = [
            truth.get((t, s), np.nan) for t, s in zip(table["trial"], table["scheme"], strict=True)
        ]
    names = ["trial", "scheme", "control", "members", "raw_lift", "raw_lift_low", "raw_lift_high", "error"]
    return table[[*names, *(name for name in table if name not in names)]]


def _verdicts(table: pd.DataFrame, threshold: float) -> pd.Series:
    worth = table["p_worth"] > threshold
    best = (
        table[worth].sort_values(["lift", "scheme"], ascending=[False, True]).groupby("trial").head(1).index
    )
    found = np.where(worth, "worth it, another is better", "undecided")
    found = np.where(table["p_worth"] < 1 - threshold, "drop", found)
    return pd.Series(np.where(table.index.isin(best), "ship", found), table.index)


def _summed(
    table: pd.DataFrame, law: Law, reach: float | None, mass: float, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what schemes to ship bring, summed over trials in their order, and their mean lifts."""
    ships = (table["verdict"] == "ship").to_numpy()
    members = table["members"].to_numpy(float) if reach is None else np.full(len(table), float(reach))
    raw, error = table["raw_lift"].to_numpy(), table["error"].to_numpy()
    drawn = law.draw(raw[ships], error[ships], _DRAWS, rng=rng)
    so_far = np.cumsum(drawn * members[ships], axis=1)
    last = table.assign(count=np.cumsum(ships)).groupby("trial", sort=False)["count"].last()
    rows = []
    claimed = np.concatenate([[0.0], np.cumsum(raw[ships] * members[ships])])
    for trial, count in last.items():
        amount = so_far[:, count - 1] if count else np.zeros(_DRAWS)
        rows.append(
            {
                "trial": trial,
                "shipped": int(count),
                **_around("amount", amount, mass),
                "raw_amount": claimed[count],
            }
        )
    curse: dict[str, float] = {"shipped": int(ships.sum())}
    if ships.any():
        curse |= {"raw_lift": float(raw[ships].mean()), **_around("lift", drawn.mean(axis=1), mass)}
        if "truth" in table and table.loc[ships, "truth"].notna().all():
            curse["truth"] = float(table.loc[ships, "truth"].mean())
    return pd.DataFrame(rows), pd.DataFrame([curse])


def _around(name: str, drawn: Floats, mass: float) -> dict[str, float]:
    low, high = np.quantile(drawn, [(1 - mass) / 2, (1 + mass) / 2])
    return {name: float(drawn.mean()), f"{name}_low": float(low), f"{name}_high": float(high)}
