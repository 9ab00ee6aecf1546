"""Attacks on the cells of a private case, over all studies and successive runs; each succeeds on exact cells.

Runs: everybody; two runs in which one member is missing; one whose `as_of` is a day earlier.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import gcd
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import board_rule
from sojourn.core.cells import Cells
from sojourn.core.params import read_params
from sojourn.data.cells import make_cells
from sojourn.data.tidy import Tidy, open_tidy
from sojourn.pipeline.stages import prepare

PROJECT = Path(__file__).resolve().parents[2]
BASE, MEMBERS = 10, 700
STUDIES = ("board", "portfolio", "portrait", "quality", "retention", "segments", "trials")
HANDED = board_rule.handed()
#: Days of members' ages, in whole months: no counts.
AGES = ("age_low", "age_high")
#: Columns that name a row; all others are numbers that are told.
NAMES = {
    "risk": ("by", "group", "late", "day"),
    "reasons": ("by", "group", "day", "reason"),
    "moves": ("by", "group", "day", "month", "from_segment", "to_segment"),
    "away": ("by", "group", "day"),
    "landmark": ("by", "group", "day"),
    "patterns": ("channel", "plan", "region", "age_band", "known", "day"),
    "exam": ("channel", "plan", "region", "age_band", "age", "after"),
    "gaps": ("days",),
    "windows": ("window", "day"),
    "lens": ("day", "rule", "clock", "zone", "numbering", "mature"),
    "lens_exits": ("rule", "minute"),
    "binary": ("outcome", "scheme", "stratum", "period"),
    "value": ("outcome", "scheme", "stratum", "period"),
    "split": ("scheme", "period"),
    "covariate": ("outcome", "scheme", "stratum", "period"),
    "times": ("scheme", "stratum", "period", "day"),
    "activity": ("scheme", "stratum", "period", "count"),
    "after": ("scheme", "week"),
    "spend": ("scheme", "stratum", "period", "bin"),
    "ratio": ("outcome", "scheme", "stratum", "period"),
    "arrivals": ("day", "scheme"),
    "traits": ("column", "level", "scheme"),
    "balance": ("covariate", "scheme"),
    "balance_pairs": ("one", "other", "scheme"),
    "faults": ("fault", "scheme"),
    "missing": ("outcome", "scheme"),
    "exposed": ("scheme", "stratum", "period", "exposed", "outcome"),
    "overlap": ("trial", "other_scheme", "scheme"),
    "clusters": ("outcome", "scheme"),
    "neighbours": ("scheme", "own"),
    "brought": ("scheme", "referrer"),
    "trials": ("trial", "scheme", "period", "outcome"),
    "features": (
        *("channel", "plan", "region", "age_band", "tenure", "active_before", "paid_before"),
        *("scheme", "block"),
    ),
    "joined": ("week", "channel"),
    "groups": ("by", "group"),
    "days": ("day", "what"),
    "visits": ("weekday", "hour"),
    "kinds": ("event",),
    "steps": ("step", "day"),
    "active": ("days",),
    "stages": ("stage",),
    "purchases": ("purchases",),
    "money": (),
    "messages": ("channel",),
    "acquisition": ("channel",),
    "late": ("days",),
    "findings": ("table", "column", "level", "finding", "hint"),
    "columns": ("table", "column"),
    "coverage": ("table", "day"),
    "lateness": ("table", "days_late"),
    "arms": ("trial", "scheme", "month", "aim", "outcome", "segment", "stage", *AGES),
    "before": ("trial", "scheme", "month", "period", "aim", *AGES),
    "now": ("segment", "stage"),
    "divisions": ("trial", "scheme", "period"),
    "due": ("trial", "segment", "stage"),
    "repeated": ("from_segment", "to_segment"),
    "since": ("days_ago", "segment", "stage"),
}
#: Single members' rows and sums of them: never shown, see `tests/studies/test_segments_shown.py`.
INSIDE = ("sample", "moments")
#: Days of parameters and of observation are no counts.
NO_COUNTS = (
    "params",
    "exam_days",
    "landmark",
    "protected",
    "unit",
    "horizon_days",
    "value_days",
    "lapse",
    "days",
    "margin",
    "before_days",
    "early_days",
    "reward_days",
    "truth",
    "present",
)


@dataclass(frozen=True)
class Run:
    """Cells of all studies, exact and protected, and the member who is missing."""

    exact: dict[str, Cells]
    shown: dict[str, Cells]
    missing: dict | None = None


def without(tidy: Tidy, member: int) -> Tidy:
    tables = {
        name: table.filter((table.member != member).fill_null(True)) if "member" in table.columns else table
        for name, table in tidy.tables.items()
    }
    return Tidy(tidy.case, tables, tidy.meta, tidy.quality)


def a_day_earlier(tidy: Tidy) -> Tidy:
    as_of = datetime.fromisoformat(tidy.meta["as_of"]) - timedelta(days=1)
    tables = {name: table for name, table in tidy.tables.items() if name != "activity"}
    return Tidy(tidy.case, tables, {**tidy.meta, "as_of": as_of.isoformat()}, tidy.quality)


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Run]:
    root = tmp_path_factory.mktemp("attacked")
    content = yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))
    content["cases"] = {"demo": content["cases"]["demo"]}
    content["cases"]["demo"]["prepare"]["members"] = MEMBERS
    (root / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOJOURN_ROOT", str(root))
        prepare("demo")
        params = read_params()
        tidy = open_tidy(params, "demo")
        rows = tidy.tables["members"].to_pyarrow().to_pylist()
        gone = [
            next(m for m in rows if m["plan"] == plan and m["churned_at"]) for plan in ("annual", "family")
        ]
        tidies = {
            "all": (tidy, None),
            "annual": (without(tidy, gone[0]["member"]), gone[0]),
            "family": (without(tidy, gone[1]["member"]), gone[1]),
            "earlier": (a_day_earlier(tidy), None),
        }
        return {name: made(params, of, missing) for name, (of, missing) in tidies.items()}


def made(params, tidy, missing) -> Run:
    asked = {study: params.for_cells("demo", study) if study != "quality" else {} for study in STUDIES}
    exact, shown = (
        {study: make_cells(tidy, study, asked[study], base=base, handed=HANDED) for study in STUDIES}
        for base in (0, BASE)
    )
    return Run(exact, shown, missing)


def numbers(cells: Cells) -> dict[tuple, Decimal]:
    """Return every number that cells tell, by where it stands."""
    found = {(cells.study, "meta", *path): value for path, value in _in_meta(dict(cells.meta))}
    for name, table in cells.tables.items():
        if name not in INSIDE:
            names = [key for key in NAMES[name] if key in table]
            for row in table.to_dict("records"):
                where = (cells.study, name, *(str(row[key]) for key in names))
                told = {c: v for c, v in row.items() if c not in names and not pd.isna(v)}
                found |= {(*where, c): Decimal(str(v)) for c, v in told.items()}
    return found


def _in_meta(meta, path=()) -> Iterator[tuple]:
    for name, value in meta.items():
        if name in NO_COUNTS:
            continue
        if isinstance(value, dict):
            yield from _in_meta(value, (*path, name))
        elif isinstance(value, int) and not isinstance(value, bool):
            yield (*path, name), Decimal(value)


def counts(run: Run, kind: str) -> dict[tuple, int]:
    """Return all counts (no sums of money) of all studies of a run."""
    every = {where: n for cells in getattr(run, kind).values() for where, n in numbers(cells).items()}
    return {where: int(n) for where, n in every.items() if where[-1] not in MONEY}


MONEY = ("total", "total_sq", "total_cube", "amount", "refunded", "dearest", "cost", "before", "before_sq")
MONEY += ("cross", "paid", "paid_sq", "logs", "logs_sq", "refunded_sq", "net", "net_sq", "top", "top_sq")
MONEY += ("bottom", "bottom_sq", "early", "early_sq")


def differences(one: dict[tuple, int], other: dict[tuple, int]) -> dict[tuple, int]:
    """Return by how much two runs differ, a number that is not there being 0."""
    return {where: one.get(where, 0) - other.get(where, 0) for where in one.keys() | other.keys()}


def test_every_count_of_every_study_and_run_is_a_multiple(runs) -> None:
    for run in runs.values():
        told = counts(run, "shown")
        assert len(told) > 1_000
        assert [where for where, n in told.items() if n % BASE] == []
        assert sum(n % BASE != 0 for n in counts(run, "exact").values()) > 1_000


def test_no_whole_combination_isolates_fewer_than_the_base(runs) -> None:
    """Combinations with whole coefficients are multiples of the greatest common divisor (Bezout)."""
    shown, exact = (
        [n for run in runs.values() for n in counts(run, kind).values()] for kind in ("shown", "exact")
    )
    assert gcd(*shown) % BASE == 0
    assert gcd(*exact) == 1


def test_a_search_over_sums_and_differences_finds_nobody(runs) -> None:
    """Brute force beside the proof: differences of up to four numbers with coefficients of -2 to 2."""
    rng = np.random.default_rng(1)
    for kind, isolates in (("shown", False), ("exact", True)):
        told = np.array([n for run in runs.values() for n in counts(run, kind).values()])
        picked = told[rng.integers(0, len(told), (20_000, 4))] * rng.integers(-2, 3, (20_000, 4))
        found = np.abs(picked.sum(axis=1))
        assert ((found > 0) & (found < BASE)).any() == isolates


@pytest.mark.parametrize("other", ["annual", "family", "earlier"])
def test_two_runs_never_differ_by_fewer_than_the_base(runs, other) -> None:
    apart = differences(*(counts(runs[name], "shown") for name in ("all", other)))
    assert {abs(n) % BASE for n in apart.values()} == {0}
    exact = differences(*(counts(runs[name], "exact") for name in ("all", other)))
    assert any(0 < abs(n) < BASE for n in exact.values())


@pytest.mark.parametrize("other", ["annual", "family"])
def test_exact_cells_tell_who_is_missing_and_protected_ones_do_not_count_one(runs, other) -> None:
    """Differencing exact cells reads off the whole member: plan, region, channel, age and time with us."""
    gone = runs[other].missing
    exact, shown = (
        differences(*(counts(runs[name], kind) for name in ("all", other))) for kind in ("exact", "shown")
    )
    for by in ("plan", "region", "channel", "age_band"):
        told = [where for where, n in exact.items() if where[:3] == ("portrait", "groups", by) and n]
        assert {where[3] for where in told} == {gone[by]}
    alone = [where for where, n in exact.items() if where[:3] == ("retention", "risk", "plan") and n == 1]
    assert {where[3] for where in alone} == {gone["plan"]}
    assert not [where for where, n in shown.items() if abs(n) == 1]


def test_sums_of_money_come_in_steps(runs) -> None:
    for run in runs.values():
        cells = run.shown["trials"]
        caps = {name: Decimal(cap) for name, cap in cells.meta["protected"]["caps"].items()}
        for row in cells.tables["value"].to_dict("records"):
            for power, name in enumerate(("total", "total_sq", "total_cube"), start=1):
                assert row[name] % (BASE * caps[row["outcome"]] ** power) == 0


def test_a_members_money_cannot_be_subtracted(runs) -> None:
    """The difference of two exact runs is what the missing member paid; of protected ones a step or 0."""
    for other in ("annual", "family"):
        exact, shown = (
            [numbers(getattr(runs[n], k)["portrait"]) for n in ("all", other)] for k in ("exact", "shown")
        )
        where, step = (
            ("portrait", "money", "amount"),
            BASE * Decimal(runs["all"].shown["portrait"].meta["protected"]["caps"]["money.amount"]),
        )
        assert 0 < exact[0][where] - exact[1][where] < step
        assert (shown[0][where] - shown[1][where]) in (0, step, -step)


def test_ages_are_told_in_whole_months(runs) -> None:
    for run in runs.values():
        for study, name in (("board", "before"), ("portfolio", "arms")):
            shown, exact = (getattr(run, kind)[study].tables[name] for kind in ("shown", "exact"))
            ages = shown[list(AGES)].melt()["value"].dropna()
            assert len(ages)
            assert (ages % 30 == 0).all()
            assert (exact[list(AGES)] % 30 != 0).any(axis=None)


def test_instants_are_told_to_the_day(runs) -> None:
    for run in runs.values():
        meta = run.shown["retention"].meta
        for name in ("first_sign", "last_sign", "observed_from"):
            assert datetime.fromisoformat(meta[name]).time().isoformat() == "00:00:00"
        exact = run.exact["retention"].meta
        assert datetime.fromisoformat(exact["first_sign"]).time().isoformat() != "00:00:00"


def test_every_value_in_the_sample_is_shared(runs) -> None:
    sample = runs["all"].shown["segments"].tables["sample"]
    assert len(sample) % BASE == 0
    assert min(sample[name].value_counts().min() for name in sample) >= BASE
    exact = runs["all"].exact["segments"].tables["sample"]
    assert min(exact[name].value_counts().min() for name in exact) == 1


def test_cells_say_that_they_are_protected_and_hold_no_exact_truth(runs) -> None:
    for cells in runs["all"].shown.values():
        assert cells.meta["protected"]["base"] == BASE
        assert "truth" not in cells.meta
        json.dumps(dict(cells.meta))
    assert all("protected" not in cells.meta for cells in runs["all"].exact.values())
