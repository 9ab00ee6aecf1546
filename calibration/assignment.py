"""How often the checks of assignment warn of sound trials, and how often they find what was planted.

Each check is asked through the study's own function on cells of simulated members. A check warns where its
p-value is below .01; a sound trial may be warned of in no more than 1 % of worlds (goal: not surely more).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.results.trials import Trial
from sojourn.studies.trials.alike import balance, mismatch
from sojourn.studies.trials.assignment_rates import RATES
from sojourn.studies.trials.clustered import clustered, surely_alike
from sojourn.studies.trials.missing import missing_outcomes
from sojourn.studies.trials.overlapping import overlapping
from sojourn.studies.trials.sequential import ALARM, anytime_p_values
from sojourn.studies.trials.split import WARN, split_p_value

SEED, SOUND, FAULTY = 20_261_122, 1_000, 300
SCHEMES = ("none", "offer")
_LEVELS = {
    "channel": (5, 0.2),
    "plan": (3, 0.3),
    "region": (4, 0.25),
    "age_band": (6, 0.15),
    "weekday": (7, 0.14),
}

#: Share of worlds, and how many there were.
type Rate = tuple[float, int]
type World = Callable[[np.random.Generator, bool], bool]


def calibrate() -> list[dict[str, Any]]:
    """Return every row of the committed result."""
    rows = sequential_rows(np.random.default_rng([SEED, 0]))
    for number, (key, world) in enumerate(WORLDS.items(), start=1):
        rngs = [np.random.default_rng([SEED, number, planted]) for planted in (0, 1)]
        alarmed = np.mean([world(rngs[0], False) for _ in range(SOUND)])
        caught = np.mean([world(rngs[1], True) for _ in range(FAULTY)])
        sound, faulty = (float(alarmed), SOUND), (float(caught), FAULTY)
        rows.append(_row(key, RATES[key][2], sound, faulty, goal=0.9))
    return rows


def _row(key: str, planted: str, sound: Rate, faulty: Rate, *, goal: float) -> dict[str, Any]:
    """Return one row; the goal allows three Monte Carlo standard errors above 1 % of false alarms."""
    most = WARN + 3 * (WARN * (1 - WARN) / sound[1]) ** 0.5
    return {
        "check": key,
        "planted": planted,
        "worlds": sound[1],
        "false_alarm_rate": round(sound[0], 4),
        "goal_false_alarms": f"at most 1 % (of {sound[1]} worlds at most {most:.4f})",
        "faulty_worlds": faulty[1],
        "catch_rate": round(faulty[0], 4),
        "goal_caught": goal,
        "met": bool(sound[0] <= most and faulty[0] >= goal),
    }


# --- the split ----------------------------------------------------------------------------------------


def sequential_rows(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return rates of the split looked at 100 times, and of the exact test once at the end."""
    planned, faulty = np.array([0.5, 0.5]), np.array([50, 51]) / 101
    sound, wrong = (_days(shares, worlds, rng) for shares, worlds in ((planned, 10_000), (faulty, 4_000)))
    alarmed, caught = (
        float((anytime_p_values(days, planned)[:, -1] < ALARM).mean()) for days in (sound, wrong)
    )
    once = [
        float(np.mean([split_p_value(days[-1].astype("int64"), planned) < WARN for days in worlds[:2_000]]))
        for worlds in (sound, wrong)
    ]
    planted = RATES["by_day"][2]
    return [
        _row("by_day", planted, (alarmed, 10_000), (caught, 4_000), goal=0.8),
        _row("split once at the end", planted, (once[0], 2_000), (once[1], 2_000), goal=0.95),
    ]


def _days(shares: NDArray[np.float64], worlds: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return members so far (worlds, 100 looks, schemes), 200,000 in all."""
    return np.cumsum(rng.multinomial(2_000, shares, size=(worlds, 100)), axis=1).astype(float)


# --- checks on cells ----------------------------------------------------------------------------------


def make_trial(others: dict[str, pd.DataFrame], *, binary: pd.DataFrame | None = None) -> Trial:
    """Return a trial of two schemes with these tables."""
    none = pd.DataFrame({name: [] for name in ("outcome", "scheme", "stratum", "period", "n", "k")})
    split = pd.DataFrame({"scheme": SCHEMES, "period": "2025-01", "assigned": 6_000, "matured": 6_000})
    return Trial(
        case="world",
        name="t",
        control="none",
        schemes=SCHEMES,
        strata=("all",),
        binary=none if binary is None else binary,
        value=none,
        split=split,
        allocation=dict.fromkeys(SCHEMES, 0.5),
        min_group=20,
        meta={"guarded": "kept_at_90"},
        others=others,
    )


def traits_world(rng: np.random.Generator, planted: bool) -> bool:
    """Members of five properties; planted: one in four of the scheme is lost in one level."""
    members = 12_000
    scheme = rng.integers(0, 2, members)
    levels = {
        column: np.minimum((rng.random(members) / share).astype(int), n - 1)
        for column, (n, share) in _LEVELS.items()
    }
    lost = (levels["channel"] == 2) & (scheme == 1) & (rng.random(members) < planted / 4)
    tables = []
    for column, level in levels.items():
        n = int(level.max()) + 1
        counts = np.bincount(2 * level[~lost] + scheme[~lost], minlength=2 * n)
        names = {"level": np.repeat(range(n), 2).astype(str), "scheme": [*SCHEMES] * n}
        tables.append(pd.DataFrame({"column": column, **names, "assigned": counts}))
    return mismatch(make_trial({"traits": pd.concat(tables)})).p_value < WARN


def balance_world(rng: np.random.Generator, planted: bool) -> bool:
    """Three covariates, two of one activity, one with heavy tails; planted: a tenth of a spread."""
    members = 12_000
    scheme = np.array(SCHEMES)[rng.integers(0, 2, members)]
    activity = rng.gamma(1.5, 2, members)
    active = rng.poisson(activity)
    paid = rng.binomial(1, 1 - np.exp(-activity / 8)) * rng.lognormal(3, 1, members)
    tenure = rng.geometric(0.02, members).astype(float)
    active = active + planted * (scheme == "offer") * (rng.random(members) < 0.1 * active.std())
    known = {"active_days_before": active, "paid_before": paid, "tenure_days": tenure}
    rows, pairs = [], []
    for name in SCHEMES:
        of = {key: values[scheme == name] for key, values in known.items()}
        rows += [(key, name, len(v), v.sum(), (v**2).sum()) for key, v in of.items()]
        keys = list(of)
        pairs += [
            (one, other, name, (of[one] * of[other]).sum())
            for i, one in enumerate(keys)
            for other in keys[i + 1 :]
        ]
    tables = {
        "balance": pd.DataFrame(rows, columns=["covariate", "scheme", "n", "total", "total_sq"]),
        "balance_pairs": pd.DataFrame(pairs, columns=["one", "other", "scheme", "total"]),
    }
    return balance(make_trial(tables)).p_value < WARN


def missing_world(rng: np.random.Generator, planted: bool) -> bool:
    """2,500 members each, 70 % stay; sound: 5 % of both unknown; planted: leavers of the offer withdraw."""
    rows = []
    for scheme in SCHEMES:
        assigned = 2_500
        stay = rng.binomial(assigned, 0.7)
        shares = (0.05, 0.05) if not planted else (0.02, 0.30) if scheme == "offer" else (0.0, 0.0)
        gone = rng.binomial([stay, assigned - stay], shares)
        rows.append(("kept_at_90", scheme, assigned, assigned - gone.sum(), stay - gone[0]))
    table = pd.DataFrame(rows, columns=["outcome", "scheme", "assigned", "known", "k"])
    return missing_outcomes(make_trial({"missing": table})).p_value < WARN


def overlap_world(rng: np.random.Generator, planted: bool) -> bool:
    """Two other trials with effects of their own; planted: the lift is 8 points larger under one scheme."""
    rows = []
    for trial, others in (("one", 2), ("two", 3)):
        for other in range(others):
            for scheme in SCHEMES:
                lift = 0.03 + 0.08 * (planted and trial == "one" and other == 1)
                p = 0.6 + 0.05 * other + lift * (scheme == "offer")
                rows.append((trial, str(other), scheme, 12_000 / others / 2, p))
    table = pd.DataFrame(rows, columns=["trial", "other_scheme", "scheme", "n", "p"])
    n = rng.poisson(table["n"])
    table = table.assign(n=n, k=rng.binomial(n, table.pop("p")))
    found = overlapping(make_trial({"overlap": table}))
    return bool(found.table[["p_together", "p_interaction"]].to_numpy().min() < WARN)


def clusters_world(rng: np.random.Generator, planted: bool) -> bool:
    """80 clubs of about 60; planted: their hazards differ by a factor of two (one standard deviation)."""
    rows, binary = [], []
    for scheme in SCHEMES:
        size = rng.poisson(60, 40) + 1
        hazard = 0.357 * np.exp((np.log(2) if planted else 0.0) * rng.standard_normal(40))
        kept = rng.binomial(size, np.exp(-hazard))
        sums = (40, size.sum(), (size**2).sum(), kept.sum(), (kept**2).sum(), (size * kept).sum())
        rows.append(("kept_at_90", scheme, *sums))
        binary.append(("kept_at_90", scheme, "all", "2025-01", size.sum(), kept.sum()))
    columns = ["outcome", "scheme", "clusters", "n", "n_sq", "total", "total_sq", "cross"]
    outcomes = pd.DataFrame(binary, columns=["outcome", "scheme", "stratum", "period", "n", "k"])
    made = make_trial({"clusters": pd.DataFrame(rows, columns=columns)}, binary=outcomes)
    return not surely_alike(clustered(made)).empty


#: Worlds by check: whether it warned.
WORLDS: dict[str, World] = {
    "mismatch": traits_world,
    "balance": balance_world,
    "missing": missing_world,
    "overlap": overlap_world,
    "clusters": clusters_world,
}
