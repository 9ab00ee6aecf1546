"""Age, period and cohort: how leaving departs from straight lines, which is all that can be known of each.

Cohort (month of joining) + age (months since) = period (calendar month), so a straight line can be moved from
one to the others without a change in any count. Estimated are the departures from straight lines, each with
its test, and the one drift that cohort and period have together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import null_space
from scipy.special import xlogy
from scipy.stats import chi2

from sojourn.core.errors import UndefinedError
from sojourn.estimators.survival.bends import Bends, set_apart
from sojourn.estimators.survival.solvable import solvable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Axis = Literal["age", "period", "cohort"]

#: Joining is spread evenly over a month, and the ages of a cell over one month around a whole number (the
#: first over half a month): shares of a cell's time in the calendar month before cohort + age, in it, after.
SPREAD = (0.125, 0.75, 0.125)
SPREAD_FIRST = (0.0, 0.75, 0.25)
#: A month (of age, of joining, of the calendar) with fewer leavers has no effect of its own.
LEAST_EVENTS = 10
#: Fewer months than this do not tell a bend from a line.
LEAST_LEVELS = 4
#: Chance that a month of an axis is set apart when all are on a line.
ALPHA = 0.01
_MOST_STEPS, _MOST_HALVINGS, _ENOUGH, _NEARLY = 100, 30, 1e-11, 1e-6
_TOO_FEW = (
    "Months of joining cannot be told from months of the calendar: in some of them too few left, or too few "
    "were there."
)


@dataclass(frozen=True, slots=True)
class MonthCells:
    """Leavers and time at risk by month of joining and age in months.

    Attributes
    ----------
    cohort, age : array of int
        Month of joining, numbered in a row, and age in whole months; one entry per cell, each cell once.
    churned, exposure : array of float
        Leavers, and time at risk in any unit.
    """

    cohort: Ints
    age: Ints
    churned: Floats
    exposure: Floats

    @property
    def period(self) -> Ints:
        """Calendar month of the middle of each cell."""
        return self.cohort + self.age

    def where(self, kept: NDArray[np.bool_]) -> MonthCells:
        """Return some of the cells."""
        return MonthCells(self.cohort[kept], self.age[kept], self.churned[kept], self.exposure[kept])

    def levels(self, axis: Axis) -> Ints:
        """Return the month of each cell on one of the three axes."""
        return {"age": self.age, "period": self.period, "cohort": self.cohort}[axis]


@dataclass(frozen=True, slots=True)
class BendTest:
    """Likelihood-ratio test that one axis has no departures from a line, the others having theirs."""

    statistic: float
    df: int
    p: float


@dataclass(frozen=True, slots=True)
class AgePeriodCohort:
    """What is identified of age, period and cohort.

    Attributes
    ----------
    cohort, period : Bends
        Departures of months of joining and of calendar months, from the line through those not set apart.
    age : array of int
        Ages in months.
    by_age : array of float
        Logarithm of the rate by age if the whole drift is between cohorts, for the middle cohort.
    drift, drift_se : float
        Change of the logarithm of the rate per month of joining *or* of the calendar: the data cannot tell.
    tests : dict of str to BendTest
        By axis.
    dispersion : float
        Pearson's chi-square per degree of freedom, at least 1; variances are multiplied by it.
    """

    cohort: Bends
    period: Bends
    age: Ints
    by_age: Floats
    drift: float
    drift_se: float
    tests: dict[Axis, BendTest]
    dispersion: float

    def by_age_if_calendar(self) -> Floats:
        """Return the logarithm of the rate by age if the whole drift is in calendar time."""
        later = _middle(self.age)
        return np.asarray(self.by_age - self.drift * (later - later[0]))


def _middle(age: Ints) -> Floats:
    """Return the middle of the months of age, from the middle of the month of joining on."""
    return np.where(age == 0, 0.25, age)


def age_period_cohort(cells: MonthCells) -> AgePeriodCohort:
    """Return departures from straight lines by month of joining and of the calendar, and their drift.

    Parameters
    ----------
    cells : MonthCells
        Months with fewer than `LEAST_EVENTS` leavers are cut off, see `enough`.

    Raises
    ------
    UndefinedError
        When fewer than `LEAST_LEVELS` months of age, joining or calendar are left.

    Notes
    -----
    Poisson: log rate = age + drift x cohort + bend(cohort) + log of the mean of exp(bend(period)) over the
    months a cell touches (`SPREAD`: a composite link, Thompson & Baker 1981, Appl. Stat. 30, 125-131). Bends
    have no line (Holford 1983, Biometrics 39, 311-324); drift as in Clayton & Schifflers (1987, Stat. Med. 6,
    469-481). A month beyond the data counts as the straight continuation of the last two.
    """
    cells = enough(cells)
    model = _Model.of(cells)
    full = model.fitted(("age", "cohort", "period"))
    freedom = len(cells.age) - len(full.values)
    pearson = float(((cells.churned - full.mean) ** 2 / full.mean).sum())
    dispersion = max(1.0, pearson / freedom) if freedom > 0 else 1.0
    tests = {axis: _tested(model, full, axis, dispersion) for axis in _AXES}
    with solvable(_TOO_FEW):
        covariance = dispersion * np.linalg.inv(full.information)
    return _result(model, full, covariance, tests, dispersion)


_AXES: tuple[Axis, ...] = ("age", "period", "cohort")
_WORDS = {"age": "months since joining", "period": "calendar months", "cohort": "months of joining"}


def enough(cells: MonthCells) -> MonthCells:
    """Return cells of months in a row that have enough leavers; the poorest month goes first.

    With it goes the side of the axis, before it or after it, that has fewer leavers.

    Raises
    ------
    UndefinedError
        When too little is left.
    """
    while poor := [found for axis in _AXES for found in _poor(cells, axis)]:
        _, axis, level = min(poor)
        levels = cells.levels(axis)
        sides = (levels < level, levels > level)
        larger = max(sides, key=lambda side: float(cells.churned[side].sum()))
        cells = cells.where(larger)
    for axis in _AXES:
        if len(_sums(cells, axis)[0]) < LEAST_LEVELS:
            raise UndefinedError(
                f"Telling cohorts from calendar months takes {LEAST_LEVELS} months in a row with "
                f"{LEAST_EVENTS} leavers each; there are too few {_WORDS[axis]}."
            )
    return cells


def _poor(cells: MonthCells, axis: Axis) -> Iterable[tuple[float, Axis, int]]:
    """Return leavers, axis and month where too few left, months without any cell included."""
    levels, gone = _sums(cells, axis)
    if not len(levels):
        return []
    counted = dict(zip(levels.tolist(), gone.tolist(), strict=True))
    every = ((counted.get(level, 0.0), level) for level in range(int(levels[0]), int(levels[-1]) + 1))
    return [(n, axis, level) for n, level in every if n < LEAST_EVENTS]


def _sums(cells: MonthCells, axis: Axis) -> tuple[Ints, Floats]:
    """Return the months of one axis and the leavers of each."""
    levels, where = np.unique(cells.levels(axis), return_inverse=True)
    return levels, np.bincount(where, weights=cells.churned, minlength=len(levels)).astype(np.float64)


@dataclass(frozen=True, slots=True)
class _Fit:
    """Where the likelihood is highest: values of the columns, expected leavers, information, likelihood."""

    values: Floats
    mean: Floats
    information: Floats
    likelihood: float


@dataclass(frozen=True, slots=True)
class _Model:
    """Columns of the linear part, and the spread of cells over calendar months.

    Attributes
    ----------
    ages, line, cohorts : array of float
        Columns for ages (one each), for the drift, and for bends of cohorts.
    months : array of float
        Bends of calendar months (months by columns).
    spread : array of float
        Share of each cell's time in each calendar month, months beyond the data expressed by those within
        once their bends are known; see `touched`.
    """

    cells: MonthCells
    ages: Floats
    line: Floats
    cohorts: Floats
    bends: dict[Axis, Floats]
    touched: Floats

    @classmethod
    def of(cls, cells: MonthCells) -> _Model:
        bends = {axis: _bend_columns(*_sums(cells, axis)) for axis in _AXES}
        ages = _dummies(cells.age)
        middle = cells.cohort - np.median(np.unique(cells.cohort))
        cohorts = _dummies(cells.cohort) @ bends["cohort"]
        return cls(cells, ages, middle[:, None], cohorts, bends, _touched(cells))

    def fitted(self, axes: tuple[Axis, ...]) -> _Fit:
        """Return the fit with bends of these axes; an age without bends is a line."""
        straight = np.column_stack([np.ones(len(self.cells.age)), self.cells.age])
        parts = [self.ages if "age" in axes else straight, self.line]
        parts += [self.cohorts] if "cohort" in axes else []
        months = self.bends["period"] if "period" in axes else self.bends["period"][:, :0]
        return _scored(self.cells, np.hstack(parts), months, self.touched, whole=len(axes) == len(_AXES))


def _scored(cells: MonthCells, fixed: Floats, months: Floats, touched: Floats, *, whole: bool) -> _Fit:
    """Return where the Poisson likelihood is highest, by Fisher scoring.

    Without one of the axes a model may fit so badly that its values run off while its likelihood, which is
    all that is asked of it, hardly moves; the `whole` model has to settle.
    """
    rate = np.log(cells.churned.sum() / cells.exposure.sum())
    values = np.concatenate(
        [np.linalg.lstsq(fixed, np.full(len(fixed), rate), rcond=None)[0], np.zeros(months.shape[1])]
    )
    mean, slopes = _expected(cells, fixed, months, touched, values)
    for _ in range(_MOST_STEPS):
        with solvable(_TOO_FEW):
            information = slopes.T @ (mean[:, None] * slopes)
            step = np.linalg.solve(information, slopes.T @ (cells.churned - mean))
        step = step / max(1.0, float(np.abs(step).max()))
        likelihood = _likelihood(cells, mean)
        for _ in range(_MOST_HALVINGS):
            mean, slopes = _expected(cells, fixed, months, touched, values + step)
            if _likelihood(cells, mean) >= likelihood - _NEARLY:
                break
            step = step / 2
        values = values + step
        if np.abs(step).max() < _ENOUGH:
            break
    if whole and not np.abs(step).max() < _NEARLY:
        raise UndefinedError(_TOO_FEW)
    return _Fit(values, mean, slopes.T @ (mean[:, None] * slopes), _likelihood(cells, mean))


def _likelihood(cells: MonthCells, mean: Floats) -> float:
    """Return the logarithm of the Poisson likelihood, without its constant."""
    return float((xlogy(cells.churned, mean) - mean).sum())


def _expected(
    cells: MonthCells, fixed: Floats, months: Floats, touched: Floats, values: Floats
) -> tuple[Floats, Floats]:
    """Return expected leavers, and the derivatives of their logarithms by all values."""
    own = values[: fixed.shape[1]]
    beyond = _beyond(len(months))
    bends = np.exp(beyond @ months @ values[fixed.shape[1] :])
    mixed = touched @ bends
    mean = cells.exposure * np.exp(fixed @ own) * mixed
    slopes = (touched * bends) @ (beyond @ months) / mixed[:, None]
    return mean, np.hstack([fixed, slopes])


def _touched(cells: MonthCells) -> Floats:
    """Return the share of each cell's time in each calendar month, from one before the first to one after."""
    columns = cells.period - cells.period.min()
    shares = np.zeros((len(columns), int(columns.max()) + 3))
    spread = np.where((cells.age == 0)[:, None], SPREAD_FIRST, SPREAD)
    for shift in range(3):
        shares[np.arange(len(columns)), columns + shift] = spread[:, shift]
    return shares


def _beyond(months: int) -> Floats:
    """Return the matrix that adds a month before and after, on straight continuations."""
    return np.vstack([[2, -1, *[0] * (months - 2)], np.eye(months), [*[0] * (months - 2), -1, 2]])


def _bend_columns(levels: Ints, weights: Floats) -> Floats:
    """Return columns (levels by levels - 2) that have, weighted, neither mean nor slope."""
    line = np.column_stack([np.ones(len(levels)), levels - levels.mean()])
    return np.asarray(null_space((weights[:, None] * line).T))


def _dummies(values: Ints) -> Floats:
    return np.asarray(values[:, None] == np.unique(values), dtype=np.float64)


def _tested(model: _Model, full: _Fit, axis: Axis, dispersion: float) -> BendTest:
    others = tuple(other for other in _AXES if other != axis)
    without = model.fitted(others)
    statistic = max(2 * (full.likelihood - without.likelihood) / dispersion, 0.0)
    df = len(full.values) - len(without.values)
    return BendTest(statistic, df, float(chi2.sf(statistic, df)))


def _result(
    model: _Model, full: _Fit, covariance: Floats, tests: dict[Axis, BendTest], dispersion: float
) -> AgePeriodCohort:
    ages, cohorts = model.ages.shape[1], model.cohorts.shape[1]
    first, last = ages + 1, ages + 1 + cohorts
    places: dict[Axis, slice] = {"cohort": slice(first, last), "period": slice(last, None)}
    bent = {axis: _bends(model, axis, full.values[at], covariance[at, at]) for axis, at in places.items()}
    # what a line through the months not set apart still has of a slope belongs to the drift
    moved = np.zeros(len(full.values))
    moved[ages] = 1.0
    for axis, at in places.items():
        moved[at] = bent[axis].fit[1] @ model.bends[axis]
    return AgePeriodCohort(
        cohort=bent["cohort"],
        period=bent["period"],
        age=np.unique(model.cells.age),
        by_age=full.values[:ages] + _lines(model, bent, full.values),
        drift=float(moved @ full.values),
        drift_se=float(np.sqrt(moved @ covariance @ moved)),
        tests=tests,
        dispersion=dispersion,
    )


def _bends(model: _Model, axis: Axis, values: Floats, covariance: Floats) -> Bends:
    level, churned = _sums(model.cells, axis)
    columns = model.bends[axis]
    none = np.zeros(len(level), dtype=bool)
    found = Bends(level, churned, columns @ values, columns @ covariance @ columns.T, none)
    return set_apart(found, ALPHA)


def _lines(model: _Model, bent: dict[Axis, Bends], values: Floats) -> Floats:
    """Return, by age, the height of both lines for the middle cohort, in the months when it has that age."""
    age = np.unique(model.cells.age)
    middle = float(np.median(bent["cohort"].level))
    first = model.ages.shape[1] + 1 + model.cohorts.shape[1]
    raw = {"cohort": values[model.ages.shape[1] + 1 : first], "period": values[first:]}
    at: dict[Axis, Floats] = {"cohort": np.full(len(age), middle), "period": middle + _middle(age)}
    heights = np.zeros(len(age))
    for axis, bends in bent.items():
        height, slope = bends.fit @ (model.bends[axis] @ raw[axis])
        heights += height + slope * (at[axis] - bends.level.mean())
    return heights
