"""Small worlds whose truth is known: five kinds without groups, and planted groups.

They are what the verdict is calibrated on (``calibration/segments.py``) and tested with. A world without
groups holds one population, whose outcomes follow its latent activity; planted groups have outcomes of their
own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.measures import HOURS, Counting, Kind
from sojourn.core.results.segments import Features, Floats, Ints
from sojourn.studies.segments.features import features, halves, standardised

#: Families of counts that a case may have, by their columns.
_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "hours": HOURS,
    "features": ("features",),
    "categories": ("categories",),
    "social": ("social",),
    "referral": ("referred",),
    "messages": ("sent", "opened"),
    "clicks": ("clicked",),
    "points": ("points_earned", "points_redeemed", "points_balance"),
}

#: Laws (Beta) of the share of messages that a member opens: about four in ten, or hardly any.
_OFTEN, _SELDOM = (4.0, 6.0), (0.5, 4.0)

_NAMES = ("recency", "frequency", "monetary", "intensity", "trend", "breadth")
_DAYS = 90


def gaussian(members: int, *, rng: np.random.Generator) -> Features:
    """Return one correlated Gaussian: six features with correlations of .8."""
    activity = rng.standard_normal(members)
    noise = rng.standard_normal((members, len(_NAMES)))
    return planted_features(np.sqrt(0.8) * activity[:, None] + np.sqrt(0.2) * noise, _after(activity, rng))


def curved(members: int, *, rng: np.random.Generator) -> Features:
    """Return one curved gradient: an arc of 60 to 180 degrees, bent further in six features, with noise."""
    place = rng.uniform(-1, 1, members)
    angle = rng.uniform(np.pi / 6, np.pi / 2) * place
    bent = np.column_stack([np.sin(angle), np.cos(angle), place, place**2, place**3, np.abs(place)])
    mixed = bent / bent.std(axis=0) @ np.linalg.qr(rng.standard_normal((6, 6)))[0]
    noise = rng.uniform(0.2, 0.4) * rng.standard_normal(mixed.shape)
    return planted_features(mixed + noise, _after(1.7 * place, rng))


def skewed(members: int, *, rng: np.random.Generator) -> Features:
    """Return one skewed population, from counts and amounts through the real transforms."""
    return features(population(members, zeros=0.0, rng=rng))


def zero_inflated(members: int, *, rng: np.random.Generator) -> Features:
    """Return one population with many zeros: most buy nothing, many were not active lately."""
    return features(population(members, zeros=0.6, rng=rng))


def partly_silent(members: int, *, rng: np.random.Generator) -> Features:
    """Return one population of whom 5 to 40 in 100 never did anything: all these stand on one point."""
    return features(population(members, zeros=0.0, often=rng.uniform(-2.0, -0.5), least=0, rng=rng))


#: The five kinds of worlds without groups.
NO_GROUPS: Mapping[str, Callable[..., Features]] = {
    "correlated Gaussian": gaussian,
    "skewed population": skewed,
    "zero-inflated counts": zero_inflated,
    "curved gradient": curved,
    "some who never did anything": partly_silent,
}


def population(
    members: int,
    *,
    zeros: float,
    rng: np.random.Generator,
    often: float = 0.9,
    least: int = 1,
    mix: Floats | None = None,
    then: Ints | None = None,
) -> Cells:
    """Return cells of one population whose members differ by degrees: in how active they are, when, and how.

    Parameters
    ----------
    members : int
        Their number.
    zeros : float
        Share of members (0-1) whose purchases, and of others whose latest activity, are set to zero; the less
        active are hit more often. Where there are any, most members hardly ever open a message, too.
    rng : numpy Generator
        Source of all randomness.
    often : float
        Logarithm of the active days a month of the typical member.
    least : int
        Days on which every member was active at least.
    mix : array (members, kinds) or None
        Parameters of the Dirichlet law of every member's mix of kinds; one for all by default.
    then : array (members,) or None
        Group of every member, which decides what members do next; their activity does by default.

    Notes
    -----
    Counts of all families are there, so all features are made by the real transforms. What one member likes,
    when one comes and how one answers are drawn from one Dirichlet or Beta law each, with a single peak.
    """
    activity = rng.standard_normal(members)
    observed = rng.integers(90, 500, members)
    days = np.minimum(rng.poisson(observed / 30 * np.exp(often + 0.9 * activity)) + least, observed)
    silent, thrifty = (rng.random(members) < zeros * 1.6 / (1 + np.exp(1.5 * activity)) for _ in range(2))
    purchases = np.where(thrifty, 0, rng.binomial(days, 0.3))
    events = days + rng.poisson(1.5 * days)
    kinds = rng.multinomial(events, _mixes(members, mix, rng))
    recency = np.minimum(rng.exponential(observed / (days + 1.0)), observed - 1)
    recency = np.where(days > 0, recency, observed)
    lately, before = (np.where(silent, 0, rng.binomial(days, np.minimum(30 / observed, 1))) for _ in range(2))
    sample = pd.DataFrame(
        {
            "observed_days": observed,
            "tenure_days": observed,
            "recency_days": np.where(silent, np.maximum(recency, 60), recency).astype(int),
            "active_days": days,
            "events": events,
            "active_last": lately,
            "active_before": before,
            "kinds": (kinds > 0).sum(axis=1),
            "purchases": purchases,
            "weekend_days": rng.binomial(days, rng.beta(6.0, 15.0, members)),
            **{f"kind_{i}": column for i, column in enumerate(kinds.T, start=1)},
            **_families(observed, events, purchases, rng.beta(*(_SELDOM if zeros else _OFTEN), members), rng),
            "value": _spent(purchases, activity, rng),
        }
    )
    named = {"spend_next": "value_next", "left_after_next": "left_after"}
    did = _after(activity, rng) if then is None else _after_groups(then, rng)
    after = did.add_suffix("_next").rename(columns=named)
    return as_cells(sample.join(after))


def _families(
    observed: Ints, events: Ints, purchases: Ints, opens: Floats, rng: np.random.Generator
) -> dict[str, Ints]:
    """Return the counts that not every case has; `opens` is each member's share of messages opened."""
    members = len(observed)
    hours = rng.multinomial(events, rng.dirichlet([3.0, 6.0, 8.0, 7.0], members))
    sent = rng.poisson(observed / 7.0)
    opened = rng.binomial(sent, opens)
    earned = 10 * purchases
    redeemed = 10 * rng.binomial(purchases, 0.5)
    return {
        **{part: hours[:, i] for i, part in enumerate(HOURS)},
        "features": 1 + rng.binomial(7, 1 - np.exp(-events / 20.0)),
        "categories": rng.binomial(9, 1 - np.exp(-purchases / 5.0)),
        "social": rng.binomial(events, rng.beta(2.0, 10.0, members)),
        "referred": rng.poisson(0.2, members),
        "sent": sent,
        "opened": opened,
        "clicked": rng.binomial(opened, rng.beta(2.0, 6.0, members)),
        "points_earned": earned,
        "points_redeemed": redeemed,
        "points_balance": earned - redeemed,
    }


def _mixes(members: int, mix: Floats | None, rng: np.random.Generator) -> Floats:
    """Return every member's shares of kinds."""
    if mix is None:
        return rng.dirichlet([6.0, 3.0, 2.0], members)
    drawn = rng.gamma(mix)
    shares: Floats = drawn / drawn.sum(axis=1, keepdims=True)
    return shares


def planted_counts(members: int, k: int, *, rng: np.random.Generator) -> tuple[Features, Ints, float]:
    """Return groups planted in counts, which pass through the real transforms.

    Parameters
    ----------
    members, k : int
        Numbers of members and groups; groups are equally likely, and each does a kind of its own most.
    rng : numpy Generator
        Source of all randomness.

    Returns
    -------
    features : Features
        As the study makes them of counts.
    group : array (members,)
        The group of every row.
    error : float
        Bayes error: share of members whom the best rule puts into the wrong group.

    Notes
    -----
    Groups differ in nothing but the mix of kinds and what they do next; how active members are differs within
    every group as it does in a population without any. So the counts of kinds tell all there is, by the
    Dirichlet-multinomial law (Mosimann 1962, Biometrika 49, 65-82), and the best rule is the likeliest group.
    """
    mixes = _SHARPNESS * (_LEADS * np.eye(k, _KINDS) + (1 - _LEADS) / _KINDS)
    group = rng.integers(k, size=members)
    cells = population(members, zeros=0.0, mix=mixes[group], then=group, rng=rng)
    sample = cells.tables["sample"]
    order = sample.sort_values(sorted(sample.columns)).index.to_numpy()
    kinds = sample[[f"kind_{i + 1}" for i in range(mixes.shape[1])]].to_numpy()
    best = _likeliest(kinds, mixes)
    return features(cells), group[order], float(np.mean(best != group))


#: Share of events of a group's own kind, before the others are shared out evenly among all; and how much
#: alike its members are (sum of the parameters of their Dirichlet law).
_LEADS, _SHARPNESS = 0.65, 20.0

#: Kinds of events where groups differ in them.
_KINDS = 5


def _likeliest(kinds: Ints, mixes: Floats) -> Ints:
    """Return the group under whose Dirichlet-multinomial law each row of counts is most likely."""
    from scipy.special import gammaln

    told = [gammaln(kinds + mix).sum(axis=1) - gammaln(mix).sum() for mix in mixes]
    return np.asarray(np.argmax(told, axis=0), dtype=np.int64)


def planted(members: int, k: int, *, error: float, rng: np.random.Generator) -> tuple[Features, Ints]:
    """Return planted groups and the group of every member.

    Parameters
    ----------
    members, k : int
        Numbers of members and groups; groups are equally likely and round.
    error : float
        Bayes error: share of members whom the best rule would put into the wrong group.
    rng : numpy Generator
        Source of all randomness.
    """
    centres = _centres(k, len(_NAMES), rng)
    group = rng.integers(k, size=members)
    distance = _distance(centres, error, rng)
    after = _after_groups(group, rng)
    return planted_features(
        distance * centres[group] + rng.standard_normal((members, len(_NAMES))), after
    ), group


def planted_features(x: Floats, after: pd.DataFrame) -> Features:
    """Return features whose values are given, for worlds that have no counts."""
    fit = halves(len(x))
    x = standardised(x, fit)
    now = pd.DataFrame(x, columns=list(_NAMES))
    meta = {
        "cut": "2025-04-01T00:00:00+00:00",
        "cut_date": "2025-04-01",
        "currency": "EUR",
        "params": {"outcome_days": _DAYS},
    }
    return Features("world", _NAMES, x, fit, now, after, (), len(x), meta)


def as_cells(sample: pd.DataFrame, **meta: object) -> Cells:
    """Return cells of a whole population given as the table `sample`, with its moments."""
    counts = [name for name in sample.columns if not name.startswith("value") and not name.endswith("_next")]
    moments: dict[str, float] = {"members": len(sample)}
    for name in counts:
        logged = np.log1p(sample[name].to_numpy(dtype=np.float64))
        moments |= {f"log_{name}_sum": logged.sum(), f"log_{name}_squares": (logged**2).sum()}
    families = tuple(name for name, columns in _FAMILIES.items() if set(columns) <= set(sample.columns))
    kinds = [f"thing {i}" for i in range(1, 1 + sum(name.startswith("kind_") for name in sample.columns))]
    described = {
        "as_of": "2025-07-01T00:00:00Z",
        "cut": "2025-04-02T00:00:00+00:00",
        "cut_date": "2025-04-02",
        "currency": "EUR",
        "kinds": kinds,
        "counting": Counting(30, 60, tuple(Kind(kind) for kind in kinds), families).to_plain(),
        "params": {"outcome_days": _DAYS},
        **meta,
    }
    return Cells("world", "segments", {"sample": sample, "moments": pd.DataFrame([moments])}, described)


def _after_groups(group: Ints, rng: np.random.Generator) -> pd.DataFrame:
    """Return outcomes that follow the group."""
    n, k = len(group), int(group.max()) + 1
    active, spend = (
        rng.permutation(np.linspace(low, high, k))[group] for low, high in ((0.15, 0.85), (0, 1.5))
    )
    did = rng.random(n) < active
    days = np.where(did, 1 + rng.poisson(np.exp(1 + spend)), 0)
    amount = did * np.exp(2 + spend + rng.standard_normal(n))
    return pd.DataFrame(
        {"active": did * 1.0, "stayed": 1.0, "active_days": days * 1.0, "spend": amount, "left_after": 0}
    )


def _after(activity: Floats, rng: np.random.Generator) -> pd.DataFrame:
    """Return outcomes that follow the latent activity smoothly."""
    n = len(activity)
    active = rng.random(n) < 1 / (1 + np.exp(-1.2 * activity))
    days = np.where(active, 1 + rng.poisson(np.exp(1 + 0.5 * activity)), 0)
    spend = np.where(active, np.round(np.exp(2 + 0.5 * activity + rng.standard_normal(n)), 2), 0.0)
    return pd.DataFrame(
        {"active": active * 1, "stayed": 1, "active_days": days, "spend": spend, "left_after": 0}
    )


def _spent(purchases: Ints, activity: Floats, rng: np.random.Generator) -> Floats:
    amount = np.exp(2.5 + 0.3 * activity + 0.6 * rng.standard_normal(len(purchases)))
    return np.asarray(np.round(purchases * amount, 2), dtype=np.float64)


def _centres(k: int, features: int, rng: np.random.Generator) -> Floats:
    """Return k directions of which no two are much closer than the others."""
    while True:
        centres = rng.standard_normal((k, features))
        apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)[np.triu_indices(k, 1)]
        if apart.min() > 0.55 * apart.max():
            return centres


def _distance(centres: Floats, error: float, rng: np.random.Generator) -> float:
    """Return the factor on the centres at which the best rule errs so often, for round groups of spread 1."""
    from scipy.optimize import brentq

    group = rng.integers(len(centres), size=40_000)
    noise = rng.standard_normal((40_000, centres.shape[1]))

    def excess(factor: float) -> float:
        x, c = factor * centres[group] + noise, factor * centres
        nearest = ((c**2).sum(axis=1) - 2 * x @ c.T).argmin(axis=1)
        return float(np.mean(nearest != group)) - error

    return float(brentq(excess, 0.05, 30.0, xtol=1e-3))
