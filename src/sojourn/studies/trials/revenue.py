"""Revenue per member in three parts, by a law that has to fit or by none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from sojourn.core.ranges import in_range
from sojourn.core.results.check import Check, Verdict
from sojourn.core.results.trial_revenue import PaymentSizes, Published, Revenue
from sojourn.core.results.trials import Trial, plain_scheme
from sojourn.core.text import count
from sojourn.estimators.bayes.bootstrap import draw_bootstrap
from sojourn.estimators.bayes.hurdle import Parts, Spending, draw_hurdle
from sojourn.estimators.bayes.model import Floats
from sojourn.estimators.bayes.sizes import STATISTICS, expected_shares, lognormal_p

#: The model is blocked when its smallest p-value, times their number, is below this.
BLOCKED_BELOW = 0.01
#: With fewer payers under any scheme the law cannot be judged, so the model is not used.
JUDGED_FROM = 100
#: Of the check of the law at least, as measured by `calibration/revenue.py`; a test holds them to it.
CATCH_RATE = 0.99
PARTS = ("who pays", "how much", "refunded")
_SUMS = ("n", "paid", "paid_sq", "logs", "logs_sq", "refunded", "refunded_sq", "net_sq")
_UNKNOWN: Floats = np.full(1, np.nan)
_NEEDED = {"scheme", "stratum", "bin", *_SUMS}


def revenue(trial: Trial, *, mass: float, rng: np.random.Generator, draws: int = 10_000) -> Revenue:
    """Estimate revenue per member and its lift over control, and say by which way.

    Parameters
    ----------
    trial : Trial
        Its table ``spend``: members by bin of what they paid, with sums.
    mass : float
        Mass of every interval, in (0, 1).
    rng : Generator
        Source of the posterior draws.
    draws : int
        Posterior draws.

    Returns
    -------
    Revenue
        By the log-normal hurdle model where four statistics of the payments could have come from it, else by
        a Dirichlet bootstrap of the histogram. Strata count by their share among all members.

    Notes
    -----
    Priors are flat: this is evidence beside the decision, which has its belief. The hurdle model alone is
    wrong where payments are not log-normal: `calibration/revenue.py` has the numbers.
    """
    in_range(mass, "mass", gt=0, lt=1)
    in_range(draws, "draws", ge=1000)
    why, arms = spendings(trial)
    if why:
        return _empty(trial, mass, why)
    p_values = {scheme: lognormal_p(arm) for scheme, arm in arms.items() if _judged(arm)}
    published, p_fit, because = choose(arms, p_values)
    free = [draw_bootstrap(arm, draws, rng=rng) for arm in arms.values()]
    fitted = [draw_hurdle(arm, draws, rng=rng) for arm in arms.values()] if len(p_values) == len(arms) else []
    chosen = fitted if published == "hurdle" else free
    drawn = np.stack([parts.revenue for parts in chosen], axis=1)
    drawn.setflags(write=False)
    return Revenue(
        control=trial.control,
        currency=str(trial.meta.get("currency", "")),
        days=_days(trial),
        mass=mass,
        published=published,
        because=because,
        table=_table(trial, arms, _Ways(chosen, fitted, free), mass),
        parts=_parts(trial.schemes, chosen, mass),
        sizes=_sizes(trial, arms, p_values, p_fit),
        draws=drawn,
    )


def spendings(trial: Trial) -> tuple[str, dict[str, Spending]]:
    """Return why nothing can be said of revenue (empty when something can), and the sums of every scheme.

    Where schemes have other shares of the strata, their members are weighted to the shares of all, and count
    as many as they are then worth.
    """
    cells = trial.other("spend")
    if "spend" in trial.meta.get("withheld", ()):
        return "A private case does not tell payments by size, so revenue is not taken apart.", {}
    if cells.empty or not set(cells.columns) >= _NEEDED:
        return "These data hold no single payments, so revenue cannot be taken apart.", {}
    weights, edges = _weights(trial, cells), np.log(_bounds(trial)[1:])
    arms = {scheme: _spending(cells, weights, scheme, edges) for scheme in trial.schemes}
    fewest = min(arms, key=lambda scheme: arms[scheme].payers)
    if arms[fewest].payers < max(trial.min_group, 2):
        return f"Too few members paid under {plain_scheme(fewest)} to compare what they paid.", {}
    return "", arms


def _weights(trial: Trial, cells: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Return by scheme and stratum what one member counts: 1 where every scheme has the strata of all."""
    sizes = cells.pivot_table(index="scheme", columns="stratum", values="n", aggfunc="sum", fill_value=0)
    n = sizes.reindex(list(trial.schemes), fill_value=0).to_numpy(float)
    weights = np.ones_like(n)
    if (n > 0).all():
        weights = n.sum(axis=0) / n.sum() / n * n.sum(axis=1, keepdims=True)
        weights *= n.sum(axis=1, keepdims=True) / (n * weights**2).sum(axis=1, keepdims=True)
    grid = [(scheme, str(stratum)) for scheme in trial.schemes for stratum in sizes.columns]
    return dict(zip(grid, weights.ravel().tolist(), strict=True))


def _spending(
    cells: pd.DataFrame, weights: Mapping[tuple[str, str], float], scheme: str, edges: Floats
) -> Spending:
    own = cells[cells["scheme"] == scheme]
    worth = np.array([weights[scheme, str(stratum)] for stratum in own["stratum"]])
    bins = own["bin"].to_numpy(int)
    by: dict[str, Floats] = {
        name: np.bincount(bins, worth * own[name].to_numpy(float), edges.size + 2).astype(float)
        for name in _SUMS
    }
    return Spending(
        edges=edges,
        n=by["n"],
        paid=by["paid"],
        paid_sq=by["paid_sq"],
        refunded=by["refunded"],
        refunded_sq=by["refunded_sq"],
        cross=(by["paid_sq"] + by["refunded_sq"] - by["net_sq"]) / 2,
        logs=float(by["logs"].sum()),
        logs_sq=float(by["logs_sq"].sum()),
    )


def _judged(arm: Spending) -> bool:
    return arm.payers >= JUDGED_FROM


def choose(arms: Mapping[str, Spending], p_values: Mapping[str, Floats]) -> tuple[Published, float, str]:
    """Return what is published, the smallest p-value times their number, and why in a sentence.

    Parameters
    ----------
    arms : mapping of str to Spending
        By scheme.
    p_values : mapping of str to array (4,)
        Of `lognormal_p`, for every scheme with enough payers to be judged.
    """
    if len(p_values) < len(arms):
        few = next(scheme for scheme in arms if scheme not in p_values)
        return (
            "model-free",
            float("nan"),
            (
                f"Only {count(round(arms[few].payers))} members paid under {plain_scheme(few)}: "
                f"with fewer than {JUDGED_FROM} a law of payments cannot be judged, so none is used."
            ),
        )
    all_p = np.stack(list(p_values.values()))
    scheme, worst = np.unravel_index(all_p.argmin(), all_p.shape)
    p = min(1.0, float(all_p.min()) * all_p.size)
    if p >= BLOCKED_BELOW:
        return "hurdle", p, "Payments look log-normal in every scheme, so the model with that law is used."
    name, where = STATISTICS[worst], plain_scheme(list(p_values)[scheme])
    return (
        "model-free",
        p,
        (f"The log-normal law misses the {name} of payments under {where}, so no law is used."),
    )


@dataclass(frozen=True, slots=True)
class _Ways:
    """Draws of every scheme by each way; `fitted` is empty where the model cannot be fitted."""

    chosen: list[Parts]
    fitted: list[Parts]
    free: list[Parts]


def _table(trial: Trial, arms: Mapping[str, Spending], ways: _Ways, mass: float) -> pd.DataFrame:
    shown = {
        "rate": [parts.rate for parts in ways.chosen],
        "size_amount": [parts.size for parts in ways.chosen],
        "refunded_share": [1 - parts.kept for parts in ways.chosen],
        "amount": [parts.revenue for parts in ways.chosen],
        "amount_above": _over_control(ways.chosen),
        "hurdle_amount_above": _over_control(ways.fitted) if ways.fitted else [_UNKNOWN] * len(arms),
        "free_amount_above": _over_control(ways.free),
    }
    beats = [np.nan, *((lift > 0).mean() for lift in shown["amount_above"][1:])]
    return pd.concat(
        [
            _counted(trial),
            *(_interval(name, draws, mass) for name, draws in shown.items()),
            _moments(list(arms.values()), mass),
            pd.DataFrame({"p_beats_control": beats}),
        ],
        axis=1,
    )


def _counted(trial: Trial) -> pd.DataFrame:
    """Return members and payers of every scheme."""
    cells = trial.other("spend").astype({"n": "int64"})
    counted = [
        part.groupby("scheme")["n"].sum().reindex(list(trial.schemes), fill_value=0).to_numpy()
        for part in (cells, cells[cells["bin"] > 0])
    ]
    return pd.DataFrame({"scheme": trial.schemes, "n": counted[0], "payers": counted[1]})


def _over_control(parts: Sequence[Parts]) -> list[Floats]:
    return [_UNKNOWN, *(scheme.revenue - parts[0].revenue for scheme in parts[1:])]


def _interval(name: str, draws: Sequence[Floats], mass: float) -> pd.DataFrame:
    """Return medians and equal-tailed bounds, one row per scheme."""
    ends = (f"{name}_low", name, f"{name}_high")
    at = ((1 - mass) / 2, 0.5, (1 + mass) / 2)
    found = pd.DataFrame([np.quantile(drawn, at) for drawn in draws], columns=ends)
    return found[[name, f"{name}_low", f"{name}_high"]]


def _moments(arms: Sequence[Spending], mass: float) -> pd.DataFrame:
    means, variances = (np.array(column) for column in zip(*(arm.moments() for arm in arms), strict=True))
    lift = np.r_[np.nan, means[1:] - means[0]]
    width = ndtri((1 + mass) / 2) * np.sqrt(variances + variances[0])
    name = "moments_amount_above"
    return pd.DataFrame({name: lift, f"{name}_low": lift - width, f"{name}_high": lift + width})


def _parts(schemes: Sequence[str], chosen: Sequence[Parts], mass: float) -> pd.DataFrame:
    tables = []
    for scheme, parts in zip(schemes[1:], chosen[1:], strict=True):
        added = shapley(
            (chosen[0].rate, chosen[0].size, chosen[0].kept), (parts.rate, parts.size, parts.kept)
        )
        named = pd.DataFrame({"scheme": scheme, "part": PARTS})
        tables.append(pd.concat([named, _interval("amount_above", added, mass)], axis=1))
    return pd.concat(tables, ignore_index=True)


def shapley(control: Sequence[Floats], scheme: Sequence[Floats]) -> list[Floats]:
    """Return what each of three factors adds to the difference of two products; the three sum to it.

    Every factor's change is valued at the mean of the other two over all orders in which they may change
    (Shapley 1953; three factors: ends weigh 1/3, mixtures 1/6).
    """
    added = []
    for own in range(3):
        one, other = (factor for factor in range(3) if factor != own)
        ends = control[one] * control[other] + scheme[one] * scheme[other]
        mixed = control[one] * scheme[other] + scheme[one] * control[other]
        added.append((scheme[own] - control[own]) * (ends / 3 + mixed / 6))
    return added


def _fit(p_values: Mapping[str, Floats]) -> pd.DataFrame:
    rows = [
        (scheme, name, float(p))
        for scheme, found in p_values.items()
        for name, p in zip(STATISTICS, found, strict=True)
    ]
    return pd.DataFrame(rows, columns=["scheme", "statistic", "p_value"])


def _sizes(
    trial: Trial, arms: Mapping[str, Spending], p_values: Mapping[str, Floats], p_fit: float
) -> PaymentSizes:
    """Return payers by size, bins put together until every scheme has `min_group` of them in each."""
    bounds = np.r_[_bounds(trial), np.inf]
    counts = np.stack([arm.n[1:] for arm in arms.values()])
    groups = _groups(counts.min(axis=0), max(trial.min_group, 1))
    tables = [
        pd.DataFrame(
            {
                "scheme": scheme,
                "amount_from": bounds[groups[:-1]],
                "amount_to": bounds[groups[1:]],
                "share": np.add.reduceat(arm.n[1:], groups[:-1]) / arm.payers,
                "share_by_law": np.add.reduceat(expected_shares(arm), groups[:-1]),
            }
        )
        for scheme, arm in arms.items()
    ]
    return PaymentSizes(
        control=trial.control,
        currency=str(trial.meta.get("currency", "")),
        days=_days(trial),
        payers=int(_counted(trial)["payers"].sum()),
        table=pd.concat(tables, ignore_index=True),
        fit=_fit(p_values),
        p_fit=p_fit,
        follows_law=p_fit >= BLOCKED_BELOW,
    )


def _bounds(trial: Trial) -> Floats:
    """Return the lower bound of every bin but that of nothing."""
    return np.array([float(bound) for bound in trial.meta["spend_bounds"]])


def _groups(smallest: Floats, least: int) -> list[int]:
    """Return where groups of bins begin, and the number of bins; every group has `least` or more."""
    starts, held = [0], 0.0
    for place, n in enumerate(smallest):
        if held >= least:
            starts.append(place)
            held = 0.0
        held += n
    if held < least and len(starts) > 1:
        starts.pop()
    return [*starts, smallest.size]


def _days(trial: Trial) -> int:
    return int(trial.meta.get("value_days", trial.meta["horizon_days"]))


def _empty(trial: Trial, mass: float, why: str) -> Revenue:
    nothing, currency, days = pd.DataFrame(), str(trial.meta.get("currency", "")), _days(trial)
    sizes = PaymentSizes(trial.control, currency, days, 0, nothing, nothing, float("nan"), False, why)
    drawn = np.empty((0, 0))
    return Revenue(
        trial.control, currency, days, mass, "model-free", why, nothing, nothing, sizes, drawn, why
    )


def check_revenue(result: Revenue) -> list[Check]:
    """Say whether the law of payments fits; where it does not, the interval without a law is published."""
    if result.why_empty:
        return []
    verdict: Verdict = "pass" if result.published == "hurdle" else "warn"
    meaning = {
        "pass": "The law may be used; it makes the interval a little narrower.",
        "warn": "The interval of revenue needs no law of payments; it is somewhat wider, and right.",
    }
    return [
        Check(
            "Payments follow the law of the model",
            verdict,
            result.because,
            meaning[verdict],
            catch_rate=CATCH_RATE,
            false_alarm_rate=BLOCKED_BELOW,
            rates_from="gamma payments of shape 0.7 and a price list, against log-normal payments; "
            "5,000 members and about 500 payers a scheme (calibration of revenue)",
        )
    ]
