"""Laws of how long members stay: fitted, set beside the counts, examined, extrapolated."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.errors import UndefinedError
from sojourn.core.interval import Interval
from sojourn.core.ranges import in_range
from sojourn.core.results.check import Check, Verdict
from sojourn.core.results.retention_lifetimes import Lifetimes
from sojourn.core.text import percent, points
from sojourn.estimators.survival.cure import CURE_MODELS, fit_cure
from sojourn.estimators.survival.goodness import goodness
from sojourn.estimators.survival.interval_cells import daily_cells
from sojourn.estimators.survival.kaplan_meier import Survival, kaplan_meier
from sojourn.estimators.survival.lifetime_fit import STAYERS, LifetimeFit
from sojourn.estimators.survival.parametric import MODELS, fit_lifetime
from sojourn.estimators.survival.risk_set import RiskSet
from sojourn.studies.retention.groups import everyone
from sojourn.studies.retention.stayers import stayers

#: Fewer leavers after the first moment than this and no law is fitted.
LEAST_LEAVERS = 10
#: Nor with a shorter follow-up, in whole durations.
LEAST_FOLLOWED = 6
#: How far beyond follow-up laws are read, in multiples of it; and how much of it they saw when examined.
BEYOND, SEEN = (1.5, 2.0), 2 / 3
#: A foretold share this far from the counted one (or within its interval) is near enough.
NEAR = 0.02
#: Measured by ``calibration/cure.py`` (`examination`): share of faults found, share of false alarms.
FORETOLD_RATES = (1.0, 0.025)
_RATES_FROM = (
    "40 worlds of 10,000 members followed for 0 to 360 days; fault: they leave twice as fast after day 240"
)
#: Every law, without and with stayers.
ALL: tuple[str, ...] = (*MODELS, *(name + STAYERS for name in CURE_MODELS))


def lifetimes(
    cells: Cells,
    *,
    horizons: Sequence[int] = (30, 90, 180),
    within: int = 180,
    mass: float = 0.95,
    min_group: int = 20,
) -> Lifetimes:
    """Return every law of lifetimes fitted to all members, and what each says beyond follow-up.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``.
    horizons : sequence of int
        Durations at which laws are read beside the counted curve, and for which remaining time is given.
    within : int
        Horizon of the remaining time.
    mass : float
        Mass of all intervals.
    min_group : int
        Laws are fitted as far as so many members are at risk.

    Notes
    -----
    Leaving on day d means d - 1 < T <= d; who leaves at once has a share of its own. Extrapolation rests on
    the law alone: intervals hold if the law does. So each law is also fitted to the first two thirds of
    follow-up and foretells its end.
    """
    for value, name in ((within, "within"), (min_group, "min_group")):
        in_range(value, name, ge=1)
    in_range(mass, "mass", gt=0, lt=1)
    risk = everyone(cells).while_at_least(min_group)
    unit, leaving = cells.meta["unit"], cells.meta["leaving"]
    if why := _why_empty(risk, unit, leaving, min_group):
        return Lifetimes(unit, mass, leaving, max(len(risk) - 1, 0), within, why_empty=why)
    fits = fit_laws(risk)
    order = sorted(fits, key=lambda name: (fits[name].aic, name))
    fits = {name: fits[name] for name in order}
    counted = kaplan_meier(risk, mass)
    hidden = round((len(risk) - 1) * SEEN)
    return Lifetimes(
        unit=unit,
        mass=mass,
        leaving=leaving,
        followed=len(risk) - 1,
        within=within,
        hidden=hidden,
        table=_table(fits, risk, fit_laws(risk.on(hidden + 1))),
        readings=_readings(fits, counted, horizons, mass),
        remaining=_remaining(next(iter(fits.values())), horizons, within, mass),
        stayers=stayers(everyone(cells), mass=mass, min_group=min_group),
        unfitted=tuple(name for name in ALL if name not in fits),
        counted_low=float(counted.low[-1]),
        counted_high=float(counted.high[-1]),
    )


def _why_empty(risk: RiskSet, unit: str, leaving: str, min_group: int) -> str:
    gone = "left" if leaving == "cancellation" else "fell silent"
    later = int(risk.churned[1:].sum()) if len(risk) else 0
    if len(risk) <= LEAST_FOLLOWED:
        return (
            f"Fewer than {min_group} members were still observed after {LEAST_FOLLOWED} {unit}s: no law of "
            "lifetimes is fitted."
        )
    if later < LEAST_LEAVERS:
        return f"Fewer than {LEAST_LEAVERS} members {gone} after joining: no law of lifetimes is fitted."
    return ""


def fit_laws(risk: RiskSet, models: Collection[str] = ALL) -> dict[str, LifetimeFit]:
    """Return the laws that the data determine, by name; stayers only where they make the data more likely."""
    cells = daily_cells(risk)
    found: dict[str, LifetimeFit] = {}
    for model in MODELS:
        try:
            found |= {str(model): fit_lifetime(model, cells)} if model in models else {}
        except UndefinedError:
            continue
    for law in CURE_MODELS:
        try:
            mixed = fit_cure(law, cells).fit if law + STAYERS in models else None
        except UndefinedError:
            continue
        found |= {mixed.model: mixed} if mixed and mixed.model.endswith(STAYERS) else {}
    return found


def _table(fits: Mapping[str, LifetimeFit], risk: RiskSet, before: Mapping[str, LifetimeFit]) -> pd.DataFrame:
    end, counted = len(risk) - 1, float(kaplan_meier(risk, 0.95).retained[-1])
    lowest, rows = min(fit.aic for fit in fits.values()), []
    for name, fit in fits.items():
        said, close = fit.parameters, goodness(fit.survival, risk, fit.free)
        rows.append(
            {
                "model": name,
                "n_parameters": fit.free,
                "at_once_share": said["at_once"],
                "location": said["location"],
                "scale": said["scale"],
                "shape": said.get("shape", float("nan")),
                "stays_share": said.get("stays", float("nan")) * (1 - said["at_once"]),
                "log_likelihood": fit.loglik,
                "aic": fit.aic,
                "aic_behind": fit.aic - lowest,
                "gap_points": close.gap,
                "fit_p_value": close.p,
                "missed_points": foretold(name, before, end) - counted,
            }
        )
    return pd.DataFrame(rows)


def foretold(model: str, before: Mapping[str, LifetimeFit], end: int) -> float:
    """Return the share that a law fitted to part of follow-up foretells for its end.

    Where stayers were not needed so early, it is the law without them; not a number where there is none.
    """
    earlier = before.get(model, before.get(model.removesuffix(STAYERS)))
    return float(earlier.survival(end)) if earlier else float("nan")


def near(share: float, counted: Interval) -> bool:
    """Return whether a foretold share is within `NEAR` of the counted one, or inside its interval."""
    return abs(share - counted.value) <= NEAR or counted.low <= share <= counted.high


def _readings(
    fits: Mapping[str, LifetimeFit], counted: Survival, horizons: Sequence[int], mass: float
) -> pd.DataFrame:
    end = len(counted.retained) - 1
    at = np.array(
        sorted({h for h in horizons if 0 <= h <= end} | {end} | {round(end * far) for far in BEYOND})
    )
    inside = at <= end
    known = np.where(inside, counted.retained[np.minimum(at, end)], np.nan)
    tables = []
    for name, fit in fits.items():
        low, high = fit.survival_interval(at, mass)
        bounds = {"retained": fit.survival(at), "retained_low": low, "retained_high": high}
        beside = {"model": name, "duration": at, "counted": known}
        tables.append(pd.DataFrame({**beside, **bounds, "extrapolated": ~inside}))
    return pd.concat(tables, ignore_index=True)


def _remaining(best: LifetimeFit, horizons: Sequence[int], within: int, mass: float) -> pd.DataFrame:
    ages = [age for age in sorted({0, *horizons}) if age <= best.longest]
    made = [best.remaining_interval(age, within, mass) for age in ages]
    return pd.DataFrame(
        {
            "duration": ages,
            "remaining": [one.value for one in made],
            "remaining_low": [one.low for one in made],
            "remaining_high": [one.high for one in made],
            "extrapolated": [age + within > best.longest for age in ages],
        }
    )


def check_lifetimes(result: Lifetimes) -> list[Check]:
    """Return whether the best law may be read beyond follow-up; nothing where there is no law."""
    if result.why_empty:
        return []
    best = result.table.iloc[0]
    missed, end = float(best["missed_points"]), f"{result.followed} {result.unit}s"
    name = "The law of lifetimes foretells what was held back"
    if not np.isfinite(missed):
        finding = f"Up to {result.unit} {result.hidden} too few left to fit it."
        return [Check(name, "warn", finding, "Its extrapolation is untested.")]
    share = float(result.readings.loc[result.readings["duration"] == result.followed, "counted"].iloc[0])
    counted = Interval(share, result.counted_low, result.counted_high, result.mass, "log-log")
    held = near(share + missed, counted)
    verdict: Verdict = "pass" if held else "warn"
    finding = (
        f"Fitted up to {result.unit} {result.hidden} only, it foretold {percent(share + missed)} at {end}; "
        f"counted were {percent(share)}, {points(missed, signed=True)} points apart."
    )
    meaning = "It held once over half as long again." if held else "Do not read it beyond follow-up."
    return [Check(name, verdict, finding, meaning, *FORETOLD_RATES, _RATES_FROM)]
