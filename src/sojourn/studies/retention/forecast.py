"""What next: every cohort carried on, members expected to be still there, time still to come."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from sojourn.core.cells import Cells
from sojourn.core.errors import ConvergenceError, UndefinedError
from sojourn.core.ranges import in_range
from sojourn.core.results.retention_forecast import Forecast
from sojourn.estimators.survival.ahead import Draws, kept_ahead
from sojourn.estimators.survival.follow_up import follow_up
from sojourn.estimators.survival.sharing import fit_shared
from sojourn.estimators.survival.triangle import Triangle
from sojourn.studies.retention.forecast_audit import audit_forecast
from sojourn.studies.retention.forecast_checks import blocked_by
from sojourn.studies.retention.groups import everyone, why_no_cohorts
from sojourn.studies.retention.race import LEAST_COHORTS, LEAST_STEPS, Model, models, run_race
from sojourn.studies.retention.triangle import Cohorts, read_cohorts

Floats = NDArray[np.float64]

DRAWS = 4_000
#: More ages than so many make no triangle that can be read.
MOST_STEPS = 60
#: Ages, in steps, for which the time still to come is told.
_TENURE_AGES = (0, 1, 3, 6, 12)


def forecast(
    cells: Cells,
    *,
    step: int = 30,
    ahead: int = 6,
    mass: float = 0.95,
    min_group: int = 20,
    rng: np.random.Generator,
    allowed: bool = True,
    why_not: str = "",
    audited: bool = True,
) -> Forecast:
    """Forecast the empty half of the cohort triangle with the model that did best on held-out entries.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``.
    step : int
        Distance of two ages, in the unit of the cells.
    ahead : int
        Steps ahead for which the forecast is examined.
    mass : float
        Mass of the prediction intervals.
    min_group : int
        Cohorts with fewer members are left out.
    rng : numpy Generator
        Source of randomness.
    allowed : bool
        Whether a forecast may be given at all; False (with `why_not`) where a model has failed elsewhere.
    why_not : str
        Why it may not, as a sentence.
    audited : bool
        Whether the fast path is set beside sampling.

    Returns
    -------
    Forecast
        Without a forecast, and saying why, where models cannot be judged or fail.

    Notes
    -----
    Models (`sojourn.studies.retention.race.models`) share strength between cohorts; an interval holds what
    is not known of the law, differences between cohorts, unrest from month to month, what all cohorts share
    in a month, and chance. Where months hit all cohorts hard, the interval of the total still held less often
    than it says (`calibration/forecast.py`); held-out coverage shows whether that matters.
    """
    for value, name in ((step, "step"), (ahead, "ahead"), (min_group, "min_group")):
        in_range(value, name, ge=1)
    in_range(mass, "mass", gt=0, lt=1)
    meta = cells.meta
    said = (meta["leaving"], meta.get("since", "joining"))
    empty = Forecast(cells.case, meta["unit"], step, ahead, mass, *said)
    if not allowed:
        return replace(empty, why_empty=why_not or "No model of these data may be relied on.")
    if why := why_no_cohorts(cells):
        return replace(empty, why_empty=why)
    cohorts = read_cohorts(cells, step=step, min_group=min_group)
    if why := _too_little(cohorts.triangle, empty):
        return replace(empty, why_empty=why)
    race_rng, final_rng, audit_rng = rng.spawn(3)
    try:
        entrants = models(stayers=_stayers_can_be_told(cells, min_group))
        race = run_race(cohorts.triangle, entrants, ahead=ahead, mass=mass, rng=race_rng)
    except (ConvergenceError, UndefinedError) as reason:
        return replace(empty, why_empty=str(reason))
    if race is None:
        return replace(empty, why_empty=_few(cohorts.triangle, empty))
    model = next(model for model in entrants if model.name == race.chosen)
    made = _carried_on(replace(empty, race=race), cohorts, model, rng=final_rng)
    if audited:
        made = replace(made, audit=audit_forecast(cohorts.triangle, race, ahead=ahead, rng=audit_rng))
    why = blocked_by(made)
    return replace(made, why_empty=why) if why else made


def _stayers_can_be_told(cells: Cells, min_group: int) -> bool:
    """Return whether follow-up is so long that who is left at its end can be taken to stay."""
    try:
        return follow_up(everyone(cells).while_at_least(min_group)).sufficient
    except UndefinedError:
        return False


def _too_little(triangle: Triangle, empty: Forecast) -> str:
    if len(triangle.members) < LEAST_COHORTS or int((triangle.known > 0).sum()) < LEAST_COHORTS:
        return _few(triangle, empty)
    if int(triangle.known.max()) < LEAST_STEPS:
        return _few(triangle, empty)
    if int(triangle.known.max()) > MOST_STEPS:
        return f"The triangle has more than {MOST_STEPS} ages; choose a longer `step` than {empty.step}."
    return ""


def _few(triangle: Triangle, empty: Forecast) -> str:
    """Say that cohorts and ages are too few to hold any out."""
    cohorts, steps = int((triangle.known > 0).sum()), int(triangle.known.max(initial=0))
    return (
        f"A forecast cannot be judged here: {cohorts} joining months, the oldest followed for {steps} steps "
        f"of {empty.step} {empty.unit}s, are too few to hold some out and see how models do on them."
    )


def _carried_on(empty: Forecast, cohorts: Cohorts, model: Model, *, rng: np.random.Generator) -> Forecast:
    """Return the forecast of the chosen model, fitted on all that is known."""
    triangle = cohorts.triangle
    steps = int(triangle.known.max()) + empty.ahead
    draws = posterior_draws(triangle, model, steps, rng=rng)
    kept = kept_ahead(triangle, draws, rng=rng)
    return replace(
        empty,
        table=_table(cohorts, kept, empty),
        tenure=_tenure(draws, empty, rng=rng),
        tenure_within=empty.step * empty.ahead,
        totals=_totals(triangle, kept, empty),
    )


def posterior_draws(triangle: Triangle, model: Model, steps: int, *, rng: np.random.Generator) -> Draws:
    """Return draws of a model of the race fitted on a triangle."""
    fit = fit_shared(triangle, model.at(triangle), shared=model.shared)
    return fit.draw(DRAWS, steps, rng=rng)


def _quantiles(drawn: Floats, mass: float) -> Floats:
    found: Floats = np.quantile(drawn, [(1 - mass) / 2, 0.5, (1 + mass) / 2], axis=0)
    return found


def _table(cohorts: Cohorts, kept: Floats, empty: Forecast) -> pd.DataFrame:
    triangle, reached = cohorts.triangle, int(cohorts.triangle.known.max())
    steps = np.arange(1, kept.shape[2] + 1)
    ahead = np.maximum(steps - triangle.known[:, None], 0)
    low, middle, high = _quantiles(kept / triangle.members[None, :, None], empty.mass)
    shown = (steps <= reached) | (ahead <= empty.ahead)
    cohort, age = np.nonzero(shown)
    of = ahead[cohort, age]
    nothing = np.where(of > 0, 0.0, np.nan)
    return pd.DataFrame(
        {
            "cohort": np.array(cohorts.names)[cohort],
            "members": triangle.members[cohort],
            "duration": empty.step * steps[age],
            "steps_ahead": of,
            "retained": middle[cohort, age],
            "retained_low": low[cohort, age] + nothing,
            "retained_high": high[cohort, age] + nothing,
        }
    )


def _totals(triangle: Triangle, kept: Floats, empty: Forecast) -> pd.DataFrame:
    """Return members of all cohorts 0, 1, ... steps after the last age their whole cohort has reached."""
    cohorts, ahead = np.arange(len(triangle.known)), np.arange(1, empty.ahead + 1)
    sums = [kept[:, cohorts, triangle.known + step - 1].sum(axis=1) for step in ahead]
    bounds = np.rint([_quantiles(total, empty.mass) for total in sums])
    now = float(triangle.last_kept.sum())
    low, middle, high = np.concatenate([np.full((1, 3), now), bounds]).T.astype(np.int64)
    steps = np.concatenate([[0], ahead])
    named = {"members": middle, "members_low": low, "members_high": high}
    return pd.DataFrame({"steps_ahead": steps, "time_ahead": empty.step * steps, **named})


def _tenure(draws: Draws, empty: Forecast, *, rng: np.random.Generator) -> pd.DataFrame:
    """Return the expected time still to come within `ahead` steps, for members of a cohort yet to be seen.

    The area under S(age + t) / S(age), taken as straight between steps; the interval holds what is not known
    of the law and how cohorts differ.
    """
    level = draws.spread[:, None] * rng.standard_normal((len(draws.spread), 1))
    staying = expit(-(draws.logits + level))
    left = np.concatenate([np.ones_like(level), np.cumprod(staying, axis=1)], axis=1)
    ages = [age for age in _TENURE_AGES if age + empty.ahead <= staying.shape[1]]
    found = [left[:, age : age + empty.ahead + 1] / left[:, age : age + 1] for age in ages]
    areas = [empty.step * (part.sum(axis=1) - (part[:, 0] + part[:, -1]) / 2) for part in found]
    bounds = np.array([_quantiles(area, empty.mass) for area in areas])
    return pd.DataFrame(
        {
            "duration": [empty.step * age for age in ages],
            "time_ahead": bounds[:, 1],
            "time_ahead_low": bounds[:, 0],
            "time_ahead_high": bounds[:, 2],
        }
    )
