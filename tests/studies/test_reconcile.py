"""A simulated company counts under a hidden definition in pandas; `reconcile` names it, or says it cannot."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from company import Company

import sojourn as sj
from sojourn.core.definitions import Offered, definitions, dimensions
from sojourn.core.results.reconcile import FOLLOWED, SHARES, Kpi
from sojourn.data.engine import connect
from sojourn.data.reconcile.make import reconcile_cells
from sojourn.data.tidy import Tidy
from sojourn.studies.reconcile.explain import reconcile

ZONES = ("Europe/Berlin", "UTC", "America/Los_Angeles")
AS_OF = pd.Timestamp("2025-07-01T00:00:00Z")
BEGAN = pd.Timestamp("2025-01-01T00:00:00Z")
MONTHS = [f"2025-{month:02}" for month in range(2, 7)]
COHORTS = ["", "2025-02", "2025-04"]
WEEKS = [f"2025-W{week:02}" for week in range(6, 26, 4)]
DATES = [f"2025-{month:02}-{day}" for month, day in ((2, 11), (3, 25), (4, 18), (5, 20), (6, 24))]

FAMILIES = {
    ("retained", "day"): [(f"retained_day_{n}", n, month) for n in (7, 30) for month in COHORTS],
    ("retained", "week"): [(f"retained_week_{n}", n, month) for n in (2, 4) for month in COHORTS[:2]],
    ("retained", "month"): [("retained_month_1", 1, month) for month in COHORTS],
    ("retained_members", "month"): [("retained_members_month_1", 1, month) for month in MONTHS[:3]],
    ("active_members", "month"): [("active_members", 0, month) for month in MONTHS],
    ("active_members", "week"): [("active_members", 0, week) for week in WEEKS],
    ("active_members", "day"): [("active_members", 0, day) for day in DATES],
    ("stickiness", "month"): [("stickiness", 0, month) for month in MONTHS],
    ("events", "month"): [("events", 0, month) for month in MONTHS],
    ("new_members", "week"): [("new_members", 0, week) for week in WEEKS],
    ("churned_members", "month"): [("churned_members", 0, month) for month in MONTHS],
    ("churn_rate", "month"): [("churn_rate", 0, month) for month in MONTHS],
    ("members", "day"): [("members", 0, day) for day in DATES],
}
MIN_GROUP = 8  # smaller than usual, so that a small world has something to show
KPIS = [
    Kpi(0, name, kind, unit, n, period, "all", "all", 0.0, 0.0, "")
    for (kind, unit), rows in FAMILIES.items()
    for name, n, period in rows
]


def company_of(world) -> Company:
    """Return the tables of a world with bots, repeated rows and members who left on the day they joined."""
    rng = np.random.default_rng(11)
    members = world.tables["members"].sort_values(["joined_at", "member_id"], ignore_index=True)
    members["member"] = members.index
    numbers = members.set_index("member_id")["member"]
    events = world.tables["events"].copy()
    events["member"] = events["member_id"].map(numbers)
    events = events[["member", "occurred_at", "event", "amount", "recorded_at"]]
    hours = pd.Series(rng.uniform(0.1, 3.0, len(members)))
    hasty = pd.Series(rng.random(len(members)) < 0.03) & (members["joined_at"] < AS_OF - pd.Timedelta(1, "D"))
    at_once = members["joined_at"] + pd.to_timedelta((hours * 3600).astype("int64"), unit="s")
    members["churned_at"] = (
        members["churned_at"]
        .astype("datetime64[us, UTC]")
        .where(~hasty, at_once.astype("datetime64[us, UTC]"))
    )
    members["is_bot"] = False
    bots = members.index[members["joined_at"] > BEGAN][::130]
    members.loc[bots, "is_bot"] = True
    repeated = events.sample(frac=0.03, random_state=3)
    made = [_bot(member, members.loc[member, "joined_at"], rng) for member in bots[1:]]
    made.append(_steady(bots[0], members.loc[bots[0], "joined_at"]))
    events = pd.concat([events, repeated, *made], ignore_index=True)
    for column in ("occurred_at", "recorded_at"):
        events[column] = events[column].astype("datetime64[us, UTC]").dt.floor("s")
    for column in ("joined_at", "churned_at"):
        members[column] = members[column].astype("datetime64[us, UTC]").dt.floor("s")
    events = events[events["recorded_at"].isna() | (events["recorded_at"] <= AS_OF)]
    return Company(members, events, AS_OF, BEGAN, fewest=MIN_GROUP)


def _bot(member, joined, rng):
    span = (AS_OF - joined).total_seconds() - 60
    at = joined + pd.to_timedelta(rng.integers(0, int(span), 300), unit="s")
    burst = joined + pd.to_timedelta(np.linspace(60, min(span, 3600), 900).astype("int64"), unit="s")
    return _views(member, pd.DatetimeIndex([*at, *burst]))


def _steady(member, joined):
    """Return 6,000 events of a bot that never has many on one day."""
    return _views(member, pd.date_range(joined, AS_OF - pd.Timedelta(1, "min"), periods=6000).floor("s"))


def _views(member, when):
    return pd.DataFrame(
        {"member": member, "occurred_at": when, "event": "view", "amount": None, "recorded_at": pd.NaT}
    )


@pytest.fixture(scope="module")
def company():
    world = sj.make_world(members=1000, seed=7, as_of="2025-07-01T00:00:00Z", start="2025-01-01T00:00:00Z")
    return company_of(world)


@pytest.fixture(scope="module")
def cells(company, tmp_path_factory):
    folder, engine = tmp_path_factory.mktemp("tidy"), connect()
    events = company.events.assign(
        amount=[None if pd.isna(a) else Decimal(str(a)) for a in company.events["amount"]]
    )
    frames = {"members": company.members.drop(columns="is_bot"), "events": events}
    for name, frame in frames.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    tables = {name: engine.read_parquet(folder / f"{name}.parquet") for name in frames}
    meta = {
        "as_of": AS_OF.isoformat(),
        "observed_from": BEGAN.isoformat(),
        "first_instant": company.members["joined_at"].min().isoformat(),
        "time_zone": "Europe/Berlin",
    }
    return reconcile_cells(Tidy("company", tables, meta), KPIS, zones=ZONES[1:], min_group=MIN_GROUP)


def lattice_of(kind, unit):
    return dimensions(kind, unit, Offered(ZONES, ("login",), True, True, True, True, True))


def told(company, kind, unit, changes) -> list[Kpi]:
    """Return the rows of a company's file: its numbers, rounded to four decimals where they are shares."""
    usual = {"old": "out" if kind in FOLLOWED else "in"}
    rows = [kpi for kpi in KPIS if (kpi.kind, kpi.unit) == (kind, unit)]
    made = []
    for at, kpi in enumerate(rows, 1):
        share = kind in SHARES
        value = company.number(kpi, **{**usual, **dict(changes)})
        if not np.isfinite(value) or (not share and value < MIN_GROUP):
            continue  # of too few members to be shown
        made.append(
            replace(kpi, row=at, value=round(float(value), 4 if share else 0), within=5e-5 if share else 0.5)
        )
    return made


def named(cells, kpis):
    result = reconcile(cells, kpis)
    (family,) = result.families
    return family


SINGLES = [
    (kind, unit, ((dimension.name, option.name),))
    for kind, unit in FAMILIES
    for dimension in lattice_of(kind, unit)
    for option in dimension.options[1:]
    if option.name != "censored"
]


@pytest.mark.parametrize(("kind", "unit"), FAMILIES)
def test_our_own_definition_agrees(company, cells, kind, unit):
    family = named(cells, told(company, kind, unit, ()))
    assert family.status == "agrees"
    assert len(family.explains) == len(family.kpis)


def same_numbers(one, other):
    return [(kpi.name, kpi.period, kpi.value) for kpi in one] == [
        (kpi.name, kpi.period, kpi.value) for kpi in other
    ]


def check_named(company, cells, kind, unit, changes):
    """A definition is found when no simpler one gives the same numbers, and then it explains every row."""
    kpis = told(company, kind, unit, changes)
    family = named(cells, kpis)
    assert family.explains == tuple(kpi.row for kpi in kpis)
    found = [definition.changes for definition in (family.best, *family.same, *family.rivals)]
    assert changes in found or len(family.best.changes) < len(changes)
    if family.best.changes and len(found) == 1 and family.by_chance <= 0.05:
        assert family.status == "explained"
    else:
        assert family.status == ("ambiguous" if family.best.changes else "agrees")
    return family, changes in found


@pytest.mark.parametrize(("kind", "unit", "changes"), SINGLES)
def test_one_difference_is_named(company, cells, kind, unit, changes):
    _, found = check_named(company, cells, kind, unit, changes)
    assert found or same_numbers(told(company, kind, unit, changes), told(company, kind, unit, ()))


def pairs():
    rng = np.random.default_rng(5)
    for kind, unit in FAMILIES:
        every = [d.changes for d in definitions(lattice_of(kind, unit)) if len(d.changes) == 2]
        every = [c for c in every if ("maturity", "censored") not in c]
        for at in rng.choice(len(every), size=1, replace=False):
            yield kind, unit, every[at]


@pytest.mark.parametrize(("kind", "unit", "changes"), list(pairs()))
def test_two_differences_are_named(company, cells, kind, unit, changes):
    family, found = check_named(company, cells, kind, unit, changes)
    if not found:  # a simpler definition gives the very same numbers: one of the two changes nothing here
        assert same_numbers(
            told(company, kind, unit, changes), told(company, kind, unit, family.best.changes)
        )


@pytest.mark.parametrize("rule", ["not_cancelled", "silence", "last_sign"])
def test_members_followed_for_a_while_are_named(company, cells, rule):
    changes = (("rule", rule), ("maturity", "censored"))
    family = named(cells, told(company, "retained", "day", changes))
    assert family.best.changes == changes
    assert family.status == "explained"
    assert ("looks ahead" in " ".join(family.best.words)) == (rule == "last_sign")


@pytest.mark.parametrize(("kind", "unit"), FAMILIES)
def test_made_up_numbers_are_not_explained(company, cells, kind, unit):
    rng = np.random.default_rng(23)
    kpis = told(company, kind, unit, ())
    digits = 4 if kind in SHARES else 0
    wrong = [replace(kpi, value=round(kpi.value * rng.uniform(0.5, 0.9), digits)) for kpi in kpis]
    family = named(cells, wrong)
    assert family.status == "not explained"
    assert family.best.words or not family.best.changes


def test_one_wrong_number_among_many_stays_unexplained(company, cells):
    changes = (("zone", "America/Los_Angeles"),)
    kpis = told(company, "active_members", "day", changes)
    kpis[4] = replace(kpis[4], value=kpis[4].value + 37)
    result = reconcile(cells, kpis)
    (family,) = result.families
    assert family.best.changes == changes
    assert len(family.explains) == len(kpis) - 1
    assert result.table["status"].tolist().count("not explained") == 1
    assert result.table.loc[4, "status"] == "not explained"


def test_a_coarse_number_is_called_ambiguous(company, cells):
    """One share in whole percent fits many definitions, and the page may not pick one."""
    kpi = told(company, "stickiness", "month", (("selection", "kind:login"),))[-1]
    coarse = replace(kpi, value=round(kpi.value, 2), within=0.005)
    assert abs(told(company, "stickiness", "month", ())[-1].value - coarse.value) > 0.005
    family = named(cells, [coarse])
    assert family.status == "ambiguous"
    assert family.rivals or family.by_chance > 0.05


def test_fewer_members_than_may_be_shown(company, cells):
    """The same number of the same members is shown where the smallest group is no larger than they are."""
    kpi = told(company, "active_members", "day", (("selection", "paid"),))[0]
    assert MIN_GROUP <= kpi.value < 300
    changes = (("selection", "paid"),)
    strict = replace(cells, meta={**cells.meta, "min_group": int(kpi.value) + 1})
    assert named(cells, [kpi]).explains == (kpi.row,)
    family = named(strict, [kpi])
    assert changes not in [d.changes for d in (family.best, *family.same, *family.rivals)]


def test_nothing_is_shown_of_fewer_members_than_any_definition_has(company, cells):
    kpi = told(company, "active_members", "day", ())[0]
    result = reconcile(replace(cells, meta={**cells.meta, "min_group": 10_000}), [kpi])
    assert result.table[["ours", "rebuilt"]].isna().all(axis=None)
    assert result.table["status"].tolist() == ["too few"]
    assert result.table["members"].tolist() == [0]
