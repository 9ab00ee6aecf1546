"""Which definition explains a company's numbers: the one that explains most of them with fewest differences."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.cells import Cells
from sojourn.core.definitions import Offered, definitions, dimensions
from sojourn.core.results.reconcile import (
    Definition,
    Dimension,
    Family,
    Kpi,
    Reading,
    Reconciliation,
    Status,
)
from sojourn.studies.reconcile.rebuild import Rebuilt

#: A definition is not told from chance when more than so many would fit as many numbers by accident.
MOST_BY_CHANCE = 0.05
#: What floats may add to a difference, of shares and counts alike.
_NOISE = 1e-9

Floats = NDArray[np.float64]


def reconcile(cells: Cells, kpis: Sequence[Kpi]) -> Reconciliation:
    """Set a company's numbers beside ours and find the definition behind each kind of them.

    Numbers of one kind and unit have to come from one definition: it is the one that explains most of them,
    more than half, and among those the one with fewest differences from ours (at most two).

    Parameters
    ----------
    cells : Cells
        From `reconcile_cells`.
    kpis : sequence of Kpi
        From `read_kpis`.

    Returns
    -------
    Reconciliation
        One row per number; nothing is said of fewer than ``min_group`` members.
    """
    min_group = int(cells.meta["min_group"])
    ordered = sorted(kpis, key=lambda kpi: (kpi.kind, kpi.unit, kpi.row))
    families, rows = [], []
    for (kind, unit), group in groupby(ordered, key=lambda kpi: (kpi.kind, kpi.unit)):
        family, table = _family(cells, f"{kind}_{unit}", tuple(group), min_group)
        families.append(family)
        rows += table
    families.sort(key=lambda family: family.kpis[0].row)
    table = pd.DataFrame(rows).sort_values("row", ignore_index=True)
    facts = {name: cells.meta[name] for name in ("zones", "bots_above", "silence_days", "left_out")}
    return Reconciliation(cells.case, tuple(families), table, facts, min_group)


class _Grid:
    """Every definition's reading of every number of a family."""

    def __init__(self, cells: Cells, kpis: Sequence[Kpi]) -> None:
        names = ("zones", "kinds", "events", "paid", "recorded", "old", "ends", "silence_days")
        offered = Offered(**{name: cells.meta[name] for name in names})
        self.kpis = tuple(kpis)
        self.dimensions: tuple[Dimension, ...] = dimensions(kpis[0].kind, kpis[0].unit, offered)
        self.definitions: list[Definition] = definitions(self.dimensions)
        self.sizes = np.array([len(definition.changes) for definition in self.definitions])
        rebuilt = [Rebuilt(cells, kpi) for kpi in kpis]
        self.readings: list[list[Reading | None]] = [
            [one.under(definition.chosen(self.dimensions)) for one in rebuilt]
            for definition in self.definitions
        ]
        self.values: Floats = np.array(
            [[np.nan if r is None else r.value for r in row] for row in self.readings], dtype=float
        )
        self.theirs: Floats = np.array([kpi.value for kpi in kpis])
        self.within: Floats = np.array([kpi.within for kpi in kpis])

    @property
    def fits(self) -> NDArray[np.bool_]:
        """Whether a definition's number is the company's, rounded as stated."""
        with np.errstate(invalid="ignore"):
            return np.abs(self.values - self.theirs) <= self.within + _NOISE


def _family(
    cells: Cells, name: str, kpis: tuple[Kpi, ...], min_group: int
) -> tuple[Family, list[dict[str, object]]]:
    grid = _Grid(cells, kpis)
    sizes = [0 if reading is None else reading.of for reading in grid.readings[0]]
    known = np.array([reading is not None for reading in grid.readings[0]])
    enough = np.array([size >= min_group for size in sizes])
    usable = known & enough
    if not usable.any():
        status: Status = "cannot be computed" if not known.any() else "too few"
        family = Family(name, kpis, status, Definition(), ())
        return family, [_row(kpi, None, None, 0, _missing(k)) for kpi, k in zip(kpis, known, strict=True)]
    family, chosen = _explained(grid, name, usable)
    rows = []
    for i, kpi in enumerate(kpis):
        if not usable[i]:
            rows.append(_row(kpi, None, None, 0, _missing(bool(known[i]))))
            continue
        ours, rebuilt = grid.values[0, i], grid.values[chosen, i]
        rows.append(_row(kpi, ours, rebuilt, sizes[i], _status(grid, family, chosen, i)))
    return family, rows


def _missing(known: bool) -> Status:
    return "too few" if known else "cannot be computed"


def _status(grid: _Grid, family: Family, chosen: int, i: int) -> Status:
    if family.status in ("explained", "ambiguous") and grid.fits[chosen, i]:
        return family.status
    return "agrees" if grid.fits[0, i] else "not explained"


def _row(kpi: Kpi, ours: float | None, rebuilt: float | None, of: int, status: Status) -> dict[str, object]:
    missing = ours is None or rebuilt is None
    return {
        "row": kpi.row,
        "kpi": kpi.name,
        "period": kpi.period or "all",
        "group": "all" if kpi.by == "all" else f"{kpi.by}={kpi.group}",
        "theirs": kpi.value,
        "ours": np.nan if missing else ours,
        "gap": np.nan if ours is None else kpi.value - ours,
        "rebuilt": np.nan if missing else rebuilt,
        "members": of,
        "status": status,
    }


def _explained(grid: _Grid, name: str, usable: NDArray[np.bool_]) -> tuple[Family, int]:
    """Return the family with its best definition, and the place of that among all."""
    fits = grid.fits & usable
    score, sizes = fits.sum(axis=1), grid.sizes
    best = int(np.lexsort((np.arange(len(score)), sizes, -score))[0])
    if score[best] * 2 <= usable.sum():
        near = _nearest(grid, usable)
        ours = _numbers(grid, fits[0])
        tried = len(_distinct(grid, usable, most=int(sizes.max())))
        return Family(name, grid.kpis, "not explained", grid.definitions[near], ours, tried=tried), near
    rows = _numbers(grid, fits[best])
    if best == 0:
        return Family(name, grid.kpis, "agrees", grid.definitions[0], rows), 0
    same, rivals = _alternatives(grid, usable, score, best)
    tried = len(_distinct(grid, usable, most=int(sizes[best])))
    chance = tried * float(np.prod(_accident(grid)[fits[best]]))
    status: Status = "ambiguous" if same or rivals or chance > MOST_BY_CHANCE else "explained"
    family = Family(name, grid.kpis, status, grid.definitions[best], rows, rivals, same, tried, chance)
    return family, best


def _numbers(grid: _Grid, which: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(kpi.row for kpi, chosen in zip(grid.kpis, which, strict=True) if chosen)


def _alternatives(
    grid: _Grid, usable: NDArray[np.bool_], score: NDArray[np.int64], best: int
) -> tuple[tuple[Definition, ...], tuple[Definition, ...]]:
    """Return the definitions as good as the best: those with the same numbers here, and the others."""
    as_good = np.flatnonzero((score == score[best]) & (grid.sizes == grid.sizes[best]))
    alike = {int(i) for i in as_good if np.array_equal(grid.values[i, usable], grid.values[best, usable])}
    same = tuple(grid.definitions[i] for i in sorted(alike - {best}))
    return same, tuple(grid.definitions[int(i)] for i in as_good if int(i) not in alike)


def _distinct(grid: _Grid, usable: NDArray[np.bool_], *, most: int) -> set[tuple[float, ...]]:
    """Return the different numbers that definitions with so many differences give, without our own."""
    few = grid.values[grid.sizes <= most][:, usable]
    return {tuple(row) for row in few.tolist() if not np.isnan(row).any()} - {tuple(few[0].tolist())}


def _accident(grid: _Grid) -> Floats:
    """Return how likely a definition no further from theirs than ours is would round to their number.

    Definitions are taken to lie evenly within the gap on both sides of their number.
    """
    gaps = np.abs(grid.values[0] - grid.theirs)
    chance: Floats = np.minimum(1.0, np.divide(grid.within, gaps, out=np.ones_like(gaps), where=gaps > 0))
    return chance


def _nearest(grid: _Grid, usable: NDArray[np.bool_]) -> int:
    """Return the definition with at most one difference whose numbers are nearest, in relative terms."""
    scale = np.maximum(np.abs(grid.theirs), grid.within)
    far = (np.abs(grid.values - grid.theirs) / scale)[:, usable]
    distance = np.where(np.isnan(far), np.inf, far).sum(axis=1)
    distance[grid.sizes > 1] = np.inf
    return int(np.argmin(distance))
