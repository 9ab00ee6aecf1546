"""What works on whom: effects of every scheme per segment and stage, partially pooled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.privacy import base_of
from sojourn.core.ranges import in_range
from sojourn.core.results.board import CHURNED, STAGES, Floats, WorksOn
from sojourn.core.results.trial_plan import LiftPrior
from sojourn.estimators.bayes.by_lot import (
    CONTROLS,
    REDIVIDED,
    TOGETHER,
    left_out,
    redivided,
    together,
    unjudged,
    unlike,
)
from sojourn.estimators.bayes.crossed import Crossed, Ints, conflict_p, fit_crossed
from sojourn.estimators.bayes.empirical import Mixture
from sojourn.studies.board.estimates import ARMS, BEFORE, DIVISIONS, NET, THERE, estimates
from sojourn.studies.board.names import called, rows_of

#: Three kinds of differences (by segment, by stage, by both) together are as wide as a plan believes strata.
_EACH = 3**-0.5
#: A cell is odd where the chance of an estimate as far out, corrected for all cells, is below this: in small
#: cells, whose errors are estimated, that raises an alarm in at most 5 of 100 sound trials.
_ODD = 0.03
#: Belief and data of a trial disagree where, over all effects, the chance of one as far out is below this:
#: where they are said to disagree in a single trial, too (`sojourn.studies.trials`).
_CONFLICT = 0.01
_NO_NET = "No trial has enough members with a known net value to tell anything."
_ABOUT = ("trial", "scheme", "called", "control", "aim")
_NAMES = {THERE: "lift", NET: "net_value"}


def works_on(
    cells: Cells,
    *,
    belief: LiftPrior | Sequence[float] = (-0.08, 0.10, 0.9),
    belief_value: LiftPrior | Sequence[float] = (-4.0, 4.0, 0.9),
    rope: float = 0.5,
    mass: float = 0.95,
    control: str | Sequence[str] = CONTROLS,
    min_group: int = 20,
) -> WorksOn:
    """Return the effect of every scheme that was tried, per segment and stage at assignment.

    Parameters
    ----------
    cells : Cells
        With the table ``arms`` (see `sojourn.studies.board.estimates`), where it is known what members did
        before they were assigned the table ``before``, where it is known when they were assigned the table
        ``divisions`` (see `unlike` and `redivided` of `sojourn.estimators.bayes.by_lot`), and in what they
        say of themselves ``segments`` (names), ``horizon_days``, ``value_days``, ``currency``.
    belief, belief_value : LiftPrior or sequence of float
        Belief of the effect on all members of a trial, as a share who are kept or back and as currency per
        member: low, high and the mass between them.
    rope : float
        A net value up to this is not worth having (currency per member).
    mass : float
        Probability mass of every interval.
    control : str or sequence of str
        Scheme with which the others of a trial are compared: the first of these names that the trial has.
    min_group : int
        Cells with fewer members in one of both arms say nothing by themselves.

    Notes
    -----
    Effects are those on all members of a trial, plus differences by segment, by stage and by both, each with
    a scale that is learned (`sojourn.estimators.bayes.crossed`). A trial of members with us says nothing of
    members who have left, nor the other way round. Groups are those at the member's own assignment; who was
    too new for a segment then is a group of its own. Trials whose members were not alike before they were
    assigned are left out, by name, and those whose division among schemes changed over time: members of a
    group are too few to be compared month by month. So are trials many of whose members were assigned
    together, in clusters, as sums over segments do not tell how alike those are, and trials of which no
    outcome of any member is known yet.

    Effects are drawn to the belief. How likely it made, before the data, what was counted on all members of
    each trial is in ``beliefs``, corrected for all effects (Bonferroni; see `_CONFLICT`).

    Pooling averages an outlier among the cells away. So what was counted in a cell is compared with what
    all other cells lead to expect there; where it does not fit (see `_ODD`, over all cells and schemes) it
    is odd.
    """
    in_range(mass, "mass", gt=0, lt=1)
    empty = WorksOn(cells.case, str(cells.meta.get("currency", "")), mass, rope)
    before, returns = cells.tables.get(BEFORE), bool(cells.meta.get("returns", False))
    arms = cells.tables.get(ARMS, pd.DataFrame(columns=["trial"]))
    untold = unjudged(before, set(arms["trial"]), returns=returns)
    if arms.empty:
        why = _NO_NET if len(untold) else "No scheme was ever tried on these members."
        return replace(empty, left_out=untold, knows_before=before is not None, why_empty=why)
    odd = unlike(before, control=control, min_group=min_group)
    unfit = dict.fromkeys(redivided(cells.tables.get(DIVISIONS), base=base_of(cells.meta)), REDIVIDED)
    unfit |= dict.fromkeys(together(before), TOGETHER)
    apart = {*odd["trial"], *unfit}
    net, there = (estimates(cells, outcome, apart, control, min_group) for outcome in (NET, THERE))
    made = replace(
        empty,
        horizon_days=int(cells.meta["horizon_days"]),
        value_days=int(cells.meta["value_days"]),
        left_out=left_out(arms, set(net["trial"]), odd, control, unfit, untold=untold),
        knows_before=before is not None,
    )
    if net.empty:
        return replace(made, why_empty=_NO_NET)
    priors = {THERE: _prior(belief), NET: _prior(belief_value)}
    trials = net.groupby("scheme")["trial"].nunique().to_dict()
    fits = [
        _Fit.of(
            cells,
            both.assign(called=called(both.iloc[0], several=bool(trials[scheme] > 1))),
            there[(there["trial"] == trial) & (there["scheme"] == scheme)],
            priors,
        )
        for (trial, scheme), both in net.groupby(["trial", "scheme"])
    ]
    overall = pd.concat([fit.overall(rope, mass) for fit in fits], ignore_index=True)
    return replace(
        made,
        table=_joined([fit.cells(rope, mass) for fit in fits]),
        segments=pd.concat([fit.segments(rope, mass) for fit in fits], ignore_index=True),
        overall=overall,
        beliefs=_beliefs(fits, overall),
        covariances={
            (*fit.named, name): fit.covariance(outcome)
            for fit in fits
            for outcome, name in _NAMES.items()
            if outcome in fit.posteriors
        },
        ages=_ages(before),
    )


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Return effects of all schemes, with the chance of each cell's estimate corrected over all of them.

    Holm's step-down correction: where every cell is as its trial believes, any is odd in `_ODD` at most.
    """
    table = pd.concat(tables, ignore_index=True)
    p = table["p_odd"].dropna().sort_values(kind="stable")
    steps = (p * np.arange(len(p), 0, -1)).cummax().clip(upper=1)
    table["p_odd"] = steps.reindex(table.index)
    return table.assign(odd=table["p_odd"] < _ODD)


def _beliefs(fits: Sequence[_Fit], overall: pd.DataFrame) -> pd.DataFrame:
    """Return how likely the belief made what was counted on all members of each trial, by outcome."""
    table = pd.DataFrame(
        [
            {**fit.about, "outcome": name, "effect": at[name], **fit.counted[outcome]}
            for fit, (_, at) in zip(fits, overall.iterrows(), strict=True)
            for outcome, name in _NAMES.items()
            if outcome in fit.counted
        ]
    )
    table = table.sort_values(["p_belief", "trial", "scheme"], ignore_index=True)
    p = (table["p_belief"] * len(table)).clip(upper=1)
    return table.assign(p_belief=p, conflict=p < _CONFLICT)


def _ages(before: pd.DataFrame | None) -> Mapping[str, tuple[int, int]]:
    """Return at what age in days members of each trial were assigned, where that is known."""
    if before is None or "age_low" not in before:
        return {}
    known = before.dropna(subset=["age_low", "age_high"])
    return {
        str(trial): (int(of["age_low"].min()), int(of["age_high"].max()))
        for trial, of in known.groupby("trial")
    }


def _prior(belief: LiftPrior | Sequence[float]) -> LiftPrior:
    return belief if isinstance(belief, LiftPrior) else LiftPrior(*belief)


@dataclass(frozen=True, slots=True)
class _Fit:
    """One scheme of one trial.

    Attributes
    ----------
    about : dict
        `_ABOUT`: ``trial``, ``scheme``, ``called`` (for reading), ``control``, ``aim``.
    grid : DataFrame, one row per segment and stage that it may tell of, in the board's order
        ``segment``, ``stage``, ``n`` (members of both arms), ``evidence`` and, by outcome, the estimates.
    posteriors : dict of str to Crossed
        By outcome.
    counted : dict of str to dict
        By outcome: ``counted`` (on all members of the trial), ``p_belief`` (how likely the belief made an
        effect as far from it).
    """

    about: dict[str, str]
    grid: pd.DataFrame
    posteriors: dict[str, Crossed]
    counted: dict[str, dict[str, float]]

    @classmethod
    def of(cls, cells: Cells, net: pd.DataFrame, there: pd.DataFrame, priors: dict[str, LiftPrior]) -> _Fit:
        about = {name: str(net[name].iloc[0]) for name in _ABOUT}
        stages = [CHURNED] if about["aim"] == "back" else [name for name in STAGES if name != CHURNED]
        rows = rows_of(cells)
        grid = pd.MultiIndex.from_product([rows, stages], names=["segment", "stage"]).to_frame(index=False)
        posteriors, counted = {}, {}
        for outcome, found in ((NET, net), (THERE, there)):
            known = found.set_index(["segment", "stage"])[["n", "estimate", "error"]]
            grid = grid.join(known.add_prefix(f"{outcome}_"), on=["segment", "stage"])
            if len(found):
                shape = (len(rows), len(stages))
                posteriors[outcome], counted[outcome] = _fitted(grid, outcome, shape, priors[outcome])
        seen = grid[f"{NET}_estimate"].notna()
        grid["n"] = grid[f"{NET}_n"].fillna(0).astype(int)
        near = grid["segment"].isin(grid.loc[seen, "segment"]) | grid["stage"].isin(grid.loc[seen, "stage"])
        grid["evidence"] = np.select([seen, near], ["trial", "observational"], "none")
        return cls(about, grid, posteriors, counted)

    @property
    def named(self) -> tuple[str, str]:
        """Trial and scheme."""
        return self.about["trial"], self.about["scheme"]

    @property
    def told(self) -> Ints:
        """Places of the cells that something is told of."""
        return np.flatnonzero(self.grid["evidence"] != "none").astype(np.int64)

    def covariance(self, outcome: str) -> Floats:
        """Return the posterior covariance of the effects on the cells of `cells`, in their order."""
        fit = self.posteriors[outcome]
        mean = fit.weights @ fit.means
        around = fit.means - mean
        whole = np.einsum("g,gcd->cd", fit.weights, fit.covariances)
        whole = whole + np.einsum("g,gc,gd->cd", fit.weights, around, around)
        told: Floats = whole[np.ix_(self.told, self.told)]
        return told

    def cells(self, rope: float, mass: float) -> pd.DataFrame:
        """Return effects by segment and stage, also where they are borrowed."""
        told = self.told
        at = self.grid.iloc[told].reset_index(drop=True)
        said = self._said(np.eye(len(self.grid))[told], rope, mass)
        odd = np.full(len(self.grid), np.nan)
        odd[self.grid[f"{NET}_estimate"].notna()] = self.posteriors[NET].surprise
        own = at[["segment", "stage", "n", "evidence"]].assign(p_odd=odd[told])
        return own.assign(**self.about, **said)[_columns(["segment", "stage"], ["evidence", "p_odd"], said)]

    def segments(self, rope: float, mass: float) -> pd.DataFrame:
        """Return effects by segment over the stages of the trial's own members."""
        seen = self.grid[self.grid["n"] > 0]
        names = list(dict.fromkeys(seen["segment"]))
        weights = np.array([(self.grid["segment"] == name) * self.grid["n"] for name in names], dtype=float)
        said = self._said(weights / weights.sum(axis=1, keepdims=True), rope, mass)
        made = pd.DataFrame({"segment": names, "n": weights.sum(axis=1).astype(int), **said})
        return made.assign(**self.about)[_columns(["segment"], [], said)]

    def overall(self, rope: float, mass: float) -> pd.DataFrame:
        """Return the effect on all members of the trial, and how far groups were drawn together."""
        weights = self.grid["n"].to_numpy(float)[None]
        said = self._said(weights / weights.sum(), rope, mass)
        made = pd.DataFrame({"n": [int(weights.sum())], **said}).assign(**self.about, pulled=self._pulled())
        return made[_columns([], ["pulled"], said)]

    def _pulled(self) -> float:
        """Return how much less groups differ than as counted (0-1); missing where there is one group."""
        seen = (self.grid["n"] > 0).to_numpy()
        if seen.sum() < 2:
            return float("nan")
        raw = self.grid[f"{NET}_estimate"].to_numpy()[seen]
        n = self.grid["n"].to_numpy(float)[seen]
        fit = self.posteriors[NET]
        kept = (fit.weights @ fit.means)[seen]
        spread = [float(np.sqrt(np.cov(values, aweights=n))) for values in (raw, kept)]
        return 1 - spread[1] / spread[0] if spread[0] > 0 else float("nan")

    def _said(self, weights: Floats, rope: float, mass: float) -> dict[str, Floats]:
        """Return what is said of weighted means of effects, one per row of weights."""
        net = self.posteriors[NET].of(weights)
        missing = np.full(len(weights), np.nan)
        lift = dict.fromkeys(("lift", "lift_low", "lift_high"), missing)
        if THERE in self.posteriors:
            lift = _bounded("lift", self.posteriors[THERE].of(weights), mass)
        return {
            "raw_lift": self._raw(THERE, weights),
            **lift,
            "raw_net_value": self._raw(NET, weights),
            **_bounded("net_value", net, mass),
            "p_loss": 1 - net.above(0.0),
            "p_worth": net.above(rope),
        }

    def _raw(self, outcome: str, weights: Floats) -> Floats:
        """Return weighted means of estimates; missing where one of them is."""
        estimate = self.grid[f"{outcome}_estimate"].to_numpy(float)
        unknown = weights[:, np.isnan(estimate)].any(axis=1)
        raw: Floats = np.where(unknown, np.nan, weights @ np.nan_to_num(estimate))
        return raw


def _fitted(
    grid: pd.DataFrame, outcome: str, shape: tuple[int, int], prior: LiftPrior
) -> tuple[Crossed, dict[str, float]]:
    """Return the posterior of all cells, and what was counted on all members and how likely that was."""
    seen = np.flatnonzero(grid[f"{outcome}_estimate"].notna())
    row, column = np.divmod(seen, shape[1])
    known = grid.iloc[seen]
    estimate, error, members = (
        known[f"{outcome}_{name}"].to_numpy(float) for name in ("estimate", "error", "n")
    )
    mean, sd, spread = prior.mean, prior.sd, _EACH * prior.spread * prior.sd
    p_belief = conflict_p(
        estimate, error, members, row=row, column=column, shape=shape, mean=mean, sd=sd, spread=spread
    )
    fit = fit_crossed(estimate, error, row, column, shape, mean=mean, sd=sd, spread=spread)
    return fit, {"counted": float(members @ estimate / members.sum()), "p_belief": p_belief}


def _bounded(name: str, of: Mixture, mass: float) -> dict[str, Floats]:
    low, high = of.interval(mass)
    return {name: of.mean, f"{name}_low": low, f"{name}_high": high}


def _columns(groups: list[str], last: list[str], said: dict[str, Floats]) -> list[str]:
    return [*_ABOUT, *groups, "n", *said, *last]
