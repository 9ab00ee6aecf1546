"""How often members come: days with an event, by scheme, as a negative binomial or without any law."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from sojourn.core.ranges import in_range
from sojourn.core.results.trial_outcomes import CountedActivity, Floats
from sojourn.core.results.trials import Trial
from sojourn.estimators.bayes.counts import (
    CountFit,
    Histogram,
    distances,
    draw_means,
    fit_counts,
    share_up_to,
)
from sojourn.studies.trials.drawn import above_control, chance_above, frozen, intervals, over_control

#: Below this predictive p-value the law is not used.
LEVEL = 0.01
LAW, NO_LAW = "negative binomial", "none"
#: Histograms drawn from the law for the predictive check.
_REPLICATED = 1_000


def counted_activity(
    trial: Trial, *, mass: float, rng: np.random.Generator, draws: int = 10_000
) -> CountedActivity:
    """Estimate how many days with an event members have under every scheme.

    Parameters
    ----------
    trial : Trial
        Its cells need the table ``activity``.
    mass : float
        Probability mass of every interval, in (0, 1).
    rng : Generator
        Source of the posterior draws.
    draws : int
        Number of posterior draws.

    Returns
    -------
    CountedActivity
        Means over strata as they occur among all members; empty, with the reason, where nothing was counted.

    Notes
    -----
    A negative binomial per scheme and stratum. Where a predictive check of its histograms fails (p below
    `LEVEL`), the means are drawn without any law: the Bayesian bootstrap of the histograms.
    """
    in_range(mass, "mass", gt=0, lt=1)
    in_range(draws, "draws", ge=1000)
    empty = CountedActivity(trial.name, trial.control, int(trial.meta["horizon_days"]), mass)
    counted = trial.other("activity")
    if counted.empty:
        return replace(empty, why_empty="These cells do not count days with an event, so none are compared.")
    histograms = _histograms(counted, trial)
    if any(h.members == 0 for row in histograms for h in row):
        return replace(empty, why_empty="A scheme has no members with complete follow-up in a stratum.")
    if not counted["count"].any():
        return replace(empty, why_empty="Nobody had an event, so there is nothing to compare.")
    return _result(empty, trial, histograms, draws, rng)


def _histograms(counted: pd.DataFrame, trial: Trial) -> list[list[Histogram]]:
    """Return one histogram per scheme (control first) and stratum."""
    strata = sorted(set(counted["stratum"]))
    return [[_histogram(counted, scheme, stratum) for stratum in strata] for scheme in trial.schemes]


def _histogram(counted: pd.DataFrame, scheme: str, stratum: str) -> Histogram:
    own = counted[(counted["scheme"] == scheme) & (counted["stratum"] == stratum)]
    found = own.groupby("count")["n"].sum()
    return Histogram(found.index.to_numpy(float), found.to_numpy(float))


def _result(
    empty: CountedActivity,
    trial: Trial,
    histograms: list[list[Histogram]],
    draws: int,
    rng: np.random.Generator,
) -> CountedActivity:
    members = np.array([[h.members for h in row] for row in histograms])
    weights = members.sum(axis=0) / members.sum()
    fits = [[fit_counts(h) for h in row] for row in histograms]
    by_law = {
        LAW: _standardised([[fit.draw(draws, rng=rng)[0] for fit in row] for row in fits], weights),
        NO_LAW: _standardised([[draw_means(h, draws, rng=rng) for h in row] for row in histograms], weights),
    }
    p_fit = _p_fit(histograms, fits, rng)
    law = LAW if p_fit >= LEVEL else NO_LAW
    tables = {name: _table(trial, members.sum(axis=1), drawn, empty.mass) for name, drawn in by_law.items()}
    both = pd.concat([table.assign(law=name) for name, table in tables.items()], ignore_index=True)
    return replace(
        empty,
        law=law,
        p_fit=p_fit,
        table=tables[law],
        both=both.drop(columns=["n", "p_more"]),
        histogram=_expected(trial, histograms, fits),
        draws=frozen(by_law[law]),
    )


def _standardised(drawn: list[list[Floats]], weights: Floats) -> Floats:
    """Return draws averaged over strata (draws, schemes), from those by scheme and stratum."""
    return np.stack([np.stack(row, axis=1) @ weights for row in drawn], axis=1)


def _p_fit(histograms: list[list[Histogram]], fits: list[list[CountFit]], rng: np.random.Generator) -> float:
    """Return the predictive p-value of the distance of all histograms together."""
    pairs = [(h, f) for hs, fs in zip(histograms, fits, strict=True) for h, f in zip(hs, fs, strict=True)]
    found = [distances(histogram, fit, _REPLICATED, rng=rng) for histogram, fit in pairs]
    observed, replicated = (sum(part) for part in zip(*found, strict=True))
    return float(np.mean(np.asarray(replicated) >= np.asarray(observed)))


def _table(trial: Trial, n: Floats, drawn: Floats, mass: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "scheme": trial.schemes,
            "n": n.astype(int),
            **intervals("mean", drawn, mass),
            **above_control("more", drawn, mass),
            **over_control("times", drawn, mass),
            "p_more": chance_above(drawn),
        }
    )


def _expected(trial: Trial, histograms: list[list[Histogram]], fits: list[list[CountFit]]) -> pd.DataFrame:
    """Return members by scheme and count, as they are and as the law at its mode expects them."""
    longest = int(max(h.count.max() for row in histograms for h in row))
    counts = np.arange(longest + 1)
    rows = []
    for scheme, own, modes in zip(trial.schemes, histograms, fits, strict=True):
        seen, expected = np.zeros(longest + 1), np.zeros(longest + 1)
        for histogram, fit in zip(own, modes, strict=True):
            seen[histogram.count.astype(int)] += histogram.n
            mean, size = np.exp(fit.mode)
            expected += histogram.members * np.diff(share_up_to(np.r_[-1, counts], mean, size))
        rows.append(
            pd.DataFrame({"scheme": scheme, "count": counts, "n": seen.astype(int), "expected": expected})
        )
    return pd.concat(rows, ignore_index=True)
