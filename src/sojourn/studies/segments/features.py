"""Features from cells: heavy tails transformed, members split into those who fit and those who judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.cells import Cells
from sojourn.core.errors import UndefinedError
from sojourn.core.results.segments import Features, Floats

#: Fewer members cannot be split, grouped and judged.
FEWEST = 200

#: A feature with one value for this share of members forms nothing.
NEARLY_ALL = 0.95

#: Standardised features are cut off here, so that no single member makes a group.
LIMIT = 4.0

#: Events of the average member that are added to everybody's before shares are taken.
PRIOR_EVENTS = 10.0

_MONTH = 30.0


def features(cells: Cells) -> Features:
    """Return what a sample of members did up to the cut and after it.

    Parameters
    ----------
    cells : Cells
        Of the study `segments`.

    Returns
    -------
    Features
        Independent of the order of rows and of the unit of money.

    Raises
    ------
    UndefinedError
        When there are fewer than 200 members, or nothing they did tells them apart.
    """
    sample = cells["sample"]
    if len(sample) < FEWEST:
        raise UndefinedError(
            f"Only {len(sample)} members of {cells.case} were known long enough at the cut; "
            f"groups are not looked for in fewer than {FEWEST}. Lower `min_tenure_days` or `outcome_days`."
        )
    sample = sample.astype(float).sort_values(sorted(sample.columns), ignore_index=True)
    fit = halves(len(sample))
    kinds: list[str] = list(cells.meta.get("kinds", ()))
    columns = _columns(sample, kinds, fit)
    kept = [name for name, column in columns.items() if _varies(column)]
    if not kept:
        raise UndefinedError(f"Nothing the members of {cells.case} did up to the cut tells them apart.")
    return Features(
        case=cells.case,
        names=tuple(kept),
        x=standardised(np.column_stack([columns[name] for name in kept]), fit),
        fit=fit,
        now=_now(sample, kinds),
        next=_next(sample),
        left_out=tuple(name for name in columns if name not in kept),
        members=int(cells["moments"]["members"].iloc[0]),
        meta=cells.meta,
    )


def halves(n: int) -> NDArray[np.bool_]:
    """Return which of n rows (in the order of their content) form groups; about every second, at random.

    Notes
    -----
    One bit of the row's number after splitmix64 [1]_: no key, no order of rows and no seed enters.

    .. [1] Steele, Lea & Flood (2014), Fast splittable pseudorandom number generators, OOPSLA, 453-472.
    """
    z = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits: NDArray[np.bool_] = ((z ^ (z >> np.uint64(31))) & np.uint64(1)).astype(bool)
    return bits


def standardised(x: Floats, fit: NDArray[np.bool_]) -> Floats:
    """Return columns with mean 0 and standard deviation 1 over the rows that fit, cut off at 4."""
    mean, spread = x[fit].mean(axis=0), x[fit].std(axis=0)
    return np.clip((x - mean) / np.where(spread > 0, spread, 1.0), -LIMIT, LIMIT)


def symmetric_log(values: Floats, unit: float) -> Floats:
    """Return asinh(values / unit), linear near 0 and logarithmic beyond; 0 where the unit is."""
    scaled: Floats = np.arcsinh(values / unit) if unit > 0 else np.zeros_like(values)
    return scaled


def _unit(values: Floats, fit: NDArray[np.bool_]) -> float:
    """Return the median size of the values that are not 0, over the rows that fit; 0 if there are none."""
    sizes = np.abs(values[fit & (values != 0)])
    return float(np.median(sizes)) if len(sizes) else 0.0


_LOGS: Mapping[str, Callable[[pd.DataFrame], Floats]] = {
    "recency": lambda s: np.log1p(s["recency_days"].to_numpy()),
    "frequency": lambda s: np.log((s["active_days"].to_numpy() + 0.5) / (_months(s) + 0.5)),
    "intensity": lambda s: np.log(_ratio(s["events"], s["active_days"], nothing=1.0)),
    "trend": lambda s: np.log((s["active_last"].to_numpy() + 1) / (s["active_before"].to_numpy() + 1)),
    "breadth": lambda s: np.log1p(s["kinds"].to_numpy()),
}


def _columns(sample: pd.DataFrame, kinds: list[str], fit: NDArray[np.bool_]) -> dict[str, Floats]:
    """Return the features on the scale on which groups are looked for, in a fixed order."""
    unit = _unit(_spend_a_month(sample), fit)
    columns = {name: np.asarray(formula(sample), dtype=np.float64) for name, formula in _LOGS.items()}
    money = symmetric_log(_spend_a_month(sample), unit)
    first = {"recency": columns["recency"], "frequency": columns["frequency"], "monetary": money}
    return first | columns | _mix(sample, kinds, fit)


def _mix(sample: pd.DataFrame, kinds: list[str], fit: NDArray[np.bool_]) -> dict[str, Floats]:
    """Return per kind of event its share of a member's events, as an angle (arcsine of the root).

    Ten events of the average member are added to everybody's, so that members of whom little is seen stand in
    the middle and not on a grid; the angle has nearly the same sampling spread for all shares.
    """
    if len(kinds) < 2:
        return {}
    counts = np.column_stack(
        [sample[f"kind_{i}"].to_numpy(dtype=np.float64) for i in range(1, len(kinds) + 1)]
    )
    events = sample["events"].to_numpy(dtype=np.float64)
    average = counts[fit].sum(axis=0) / max(float(events[fit].sum()), 1.0)
    shares = (counts + PRIOR_EVENTS * average) / (events + PRIOR_EVENTS)[:, None]
    return {kind: np.arcsin(np.sqrt(share)) for kind, share in zip(kinds, shares.T, strict=True)}


def _months(sample: pd.DataFrame) -> Floats:
    return np.asarray(sample["observed_days"].to_numpy() / _MONTH, dtype=np.float64)


def _spend_a_month(sample: pd.DataFrame) -> Floats:
    return np.asarray(sample["value"].to_numpy() / _months(sample), dtype=np.float64)


def _ratio(top: pd.Series[float], bottom: pd.Series[float], *, nothing: float) -> Floats:
    """Return top / bottom, and `nothing` where the bottom is 0."""
    t, b = top.to_numpy(dtype=np.float64), bottom.to_numpy(dtype=np.float64)
    ratio: Floats = np.divide(t, b, out=np.full(len(t), nothing), where=b > 0)
    return ratio


def _varies(column: Floats) -> bool:
    return float(np.unique(column, return_counts=True)[1].max()) <= NEARLY_ALL * len(column)


def _now(sample: pd.DataFrame, kinds: list[str]) -> pd.DataFrame:
    """Return what is told of a segment, in natural units; the mix as shares of a member's events."""
    many = enumerate(kinds, start=1) if len(kinds) > 1 else ()
    mix = {kind: _ratio(sample[f"kind_{i}"], sample["events"], nothing=0.0) for i, kind in many}
    return pd.DataFrame(
        {
            "recency": sample["recency_days"],
            "frequency": sample["active_days"] / _months(sample),
            "monetary": _spend_a_month(sample),
            "intensity": _ratio(sample["events"], sample["active_days"], nothing=0.0),
            "trend": sample["active_last"] - sample["active_before"],
            "breadth": sample["kinds"],
            "tenure": sample["tenure_days"],
            "weekend": _ratio(sample["weekend_days"], sample["active_days"], nothing=0.0),
            **mix,
        }
    )


def _next(sample: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "active": sample["active_next"],
            "stayed": sample["stayed_next"],
            "active_days": sample["active_days_next"],
            "spend": sample["value_next"],
        }
    )
