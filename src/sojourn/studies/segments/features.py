"""Features from cells: heavy tails transformed, members split into those who fit and those who judge."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.cells import Cells
from sojourn.core.errors import UndefinedError
from sojourn.core.measures import Counting
from sojourn.core.results.segments import Features, Floats
from sojourn.studies.segments.forming import forming
from sojourn.studies.segments.measures import measures_of
from sojourn.studies.segments.names import kind_names

#: Fewer members cannot be split, grouped and judged.
FEWEST = 200

#: A feature with one value for this share of members forms nothing.
NEARLY_ALL = 0.95

#: Standardised features are cut off here, so that no single member makes a group.
LIMIT = 4.0

#: What was known at joining, as far as a case has it; and how cells say that it is not.
TRAITS: tuple[str, ...] = ("channel", "plan", "region", "age_band")
UNKNOWN: tuple[str, ...] = ("not stated", "unknown")

#: What members did after the cut, and the columns that hold it.
_OUTCOMES: Mapping[str, str] = {
    "active": "active_next",
    "stayed": "stayed_next",
    "active_days": "active_days_next",
    "spend": "value_next",
    "left_after": "left_after",
    "sent": "sent_next",
    "opened": "opened_next",
}


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
    sample = sample.sort_values(sorted(sample.columns), ignore_index=True)
    fit, kinds = halves(len(sample)), kind_names(cells.meta)
    counting = Counting.from_plain(cells.meta["counting"])
    traits = [name for name in TRAITS if name in sample.columns]
    counts = sample[[name for name in sample.columns if name not in traits and not _is_outcome(name)]]
    columns = forming(counts, counting, kinds, fit)
    kept = [name for name, column in columns.items() if _varies(column)]
    if not kept:
        raise UndefinedError(f"Nothing the members of {cells.case} did up to the cut tells them apart.")
    measures = measures_of(counting, kinds)
    return Features(
        case=cells.case,
        names=tuple(kept),
        x=standardised(np.column_stack([columns[name] for name in kept]), fit),
        fit=fit,
        now=pd.DataFrame({one.name: one.of(counts) for one in measures}),
        next=_next(sample),
        left_out=tuple(name for name in columns if name not in kept),
        members=int(cells["moments"]["members"].iloc[0]),
        meta=cells.meta,
        traits=sample[traits].replace(dict.fromkeys(UNKNOWN)),
        counts=counts,
        measures=measures,
        counting=counting,
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


def _varies(column: Floats) -> bool:
    return float(np.unique(column, return_counts=True)[1].max()) <= NEARLY_ALL * len(column)


def _is_outcome(column: str) -> bool:
    return column.endswith("_next") or column == "left_after"


def _next(sample: pd.DataFrame) -> pd.DataFrame:
    """Return what members did after the cut; messages where there are any."""
    found = {told: sample[column] for told, column in _OUTCOMES.items() if column in sample.columns}
    return pd.DataFrame(found)
