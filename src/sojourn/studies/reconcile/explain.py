"""Which definition explains a company's numbers: most of them, with fewest differences from ours."""

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
    families: list[Family] = []
    rows: list[dict[str, object]] = []
    for (kind, unit), group in groupby(ordered, key=lambda kpi: (kpi.kind, kpi.unit)):
        family, made = _family(cells, f"{kind}_{unit}", tuple(group), min_group)
        families.append(family)
        rows += made
    families.sort(key=lambda family: family.kpis[0].row)
    table = pd.DataFrame(rows).sort_values("row", ignore_index=True)
    facts = {name: cells.meta[name] for name in ("zones", "bots_above", "silence_days", "left_out")}
    return Reconciliation(cells.case, tuple(families), table, facts, min_group)


class _Grid:
    """Every definition's reading of every number of a family."""

    def __init__(self, cells: Cells, kpis: Sequence[Kpi], min_group: int) -> None:
        names = ("zones", "kinds", "events", "paid", "recorded", "old", "ends", "silence_days")
        offered = Offered(**{name: cells.meta[name] for name in names})
        self.kpis = tuple(kpis)
        self.dimensions: tuple[Dimension, ...] = dimensions(kpis[0].kind, kpis[0].unit, offered)
        self.definitions: list[Definition] = definitions(self.dimensions)
        self.sizes = np.array([len(definition.changes) for definition in self.definitions])
        rebuilt = [Rebuilt(cells, kpi) for kpi in kpis]
        readings = [
            [one.under(definition.chosen(self.dimensions)) for one in rebuilt]
            for definition in self.definitions
        ]
        self.ours: list[Reading | None] = readings[0]
        self.computed = np.array([[r is not None for r in row] for row in readings]).any(axis=0)
        #: By definition and number; missing where undefined or of too few members.
        self.numbers: Floats = np.array(
            [[np.nan if r is None or r.of < min_group else r.value for r in row] for row in readings]
        )
        self.theirs: Floats = np.array([kpi.value for kpi in kpis])
        self.within: Floats = np.array([kpi.within for kpi in kpis])

    @property
    def fits(self) -> NDArray[np.bool_]:
        """Whether a definition's number is the company's, rounded as stated."""
        with np.errstate(invalid="ignore"):
            return np.abs(self.numbers - self.theirs) <= self.within + _NOISE


def _family(
    cells: Cells, name: str, kpis: tuple[Kpi, ...], min_group: int
) -> tuple[Family, list[dict[str, object]]]:
    grid = _Grid(cells, kpis, min_group)
    usable = ~np.isnan(grid.numbers).all(axis=0)
    if not usable.any():
        status = _missing(bool(grid.computed.any()))
        return Family(name, kpis, status, Definition(), ()), [
            _row(grid, i, i_computed) for i, i_computed in enumerate(map(_missing, grid.computed))
        ]
    family, chosen = _explained(grid, name, usable)
    rows = [
        _row(grid, i, _status(grid, family, chosen, i) if usable[i] else _missing(grid.computed[i]), chosen)
        for i in range(len(kpis))
    ]
    return family, rows


def _missing(computed: bool) -> Status:
    return "too few" if computed else "cannot be computed"


def _status(grid: _Grid, family: Family, chosen: int, i: int) -> Status:
    fits = grid.fits
    if family.status in ("explained", "ambiguous") and fits[chosen, i]:
        return family.status
    if np.isnan(grid.numbers[0, i]) and not family.best.changes:
        return "too few"
    return "agrees" if fits[0, i] else "not explained"


def _row(grid: _Grid, i: int, status: Status, chosen: int = 0) -> dict[str, object]:
    kpi, ours = grid.kpis[i], grid.numbers[0, i]
    of = grid.ours[i]
    return {
        "row": kpi.row,
        "kpi": kpi.name,
        "period": kpi.period or "all",
        "group": "all" if kpi.by == "all" else f"{kpi.by}={kpi.group}",
        "theirs": kpi.value,
        "ours": ours,
        "gap": kpi.value - ours,
        "rebuilt": grid.numbers[chosen, i],
        "members": 0 if of is None or np.isnan(ours) else of.of,
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
    chance = _by_accident(grid, fits[best], most=int(sizes[best]))
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
    numbers = grid.numbers[:, usable]
    alike = {int(i) for i in as_good if np.array_equal(numbers[i], numbers[best], equal_nan=True)}
    same = tuple(grid.definitions[i] for i in sorted(alike - {best}))
    return same, tuple(grid.definitions[int(i)] for i in as_good if int(i) not in alike)


def _distinct(grid: _Grid, usable: NDArray[np.bool_], *, most: int) -> set[tuple[float, ...]]:
    """Return the different numbers that definitions with so many differences give, without our own."""
    few = np.nan_to_num(grid.numbers[grid.sizes <= most][:, usable], nan=-1.0)
    return {tuple(row) for row in few.tolist()} - {tuple(few[0].tolist())}


def _by_accident(grid: _Grid, rows: NDArray[np.bool_], *, most: int) -> float:
    """Return how many definitions would give their numbers in some rows by accident.

    What can be taken for an explanation is no further from their numbers than ours is, in every row. Such
    definitions are counted, and taken to lie evenly within that distance: each rounds to their number with a
    chance of the rounding's width over the distance.
    """
    gaps = np.abs(grid.numbers[0] - grid.theirs)
    gaps = np.where(np.isnan(gaps), np.abs(grid.theirs), gaps)  # ours is of too few: as far as nothing
    reach = np.maximum(gaps, grid.within)[rows]
    with np.errstate(invalid="ignore"):
        near = (np.abs(grid.numbers - grid.theirs)[:, rows] <= reach + _NOISE).all(axis=1)
    numbers = np.nan_to_num(grid.numbers[near & (grid.sizes <= most)][:, rows], nan=-1.0)
    ours = tuple(np.nan_to_num(grid.numbers[0, rows], nan=-1.0).tolist())
    others = {tuple(row) for row in numbers.tolist()} - {ours}
    return len(others) * float(np.prod(grid.within[rows] / reach))


def _nearest(grid: _Grid, usable: NDArray[np.bool_]) -> int:
    """Return the definition with at most one difference whose numbers are nearest, in relative terms."""
    scale = np.maximum(np.abs(grid.theirs), grid.within)
    far = (np.abs(grid.numbers - grid.theirs) / scale)[:, usable]
    distance = np.where(np.isnan(far), 1.0, far).sum(axis=1)  # a number that is missing is as far as nothing
    distance[grid.sizes > 1] = np.inf
    return int(np.argmin(distance))
