"""The attacker of two runs that differ by one member: all protected numbers of all studies together.

1,000 members of one drawn year, base 20; the attacker sees both runs whole. Measured with 80 missing members:

- plan, from what moved: exact cells 80 right, protected 47; always saying the most common plan 43.
- channel likewise: 80, 38 and 35.
- plan, channel and churned together, by least squares from totals of groups: 80, 11 and 11.

*Not* hidden, and not tested: whether the member has left. All read-offs of all groups tell it together: in
retention alone 24, 31, 38 and 40 of 40 guesses are right in worlds 2 to 5, where always saying the same is
right in 22, 29, 21 and 23; something moves in 157 of 160 runs. With everybody read off as rarely as groups
are it would be 24, 31, 37 and 32, and something would move in 106: fewer read-offs alone do not mend it.
The week of joining is told roughly too: weeks moved in 73 of 80 runs.

Joining by channel and week, stepping in every row as the portrait once told it, made the guess of the channel
67 right of 80. Read off at few places and without channels, the portrait's numbers moved no channel.

Tolerance: right no more often than who always says the most common value is in 999 of 1,000 such samples
(binomial); in 40 tries that leaves room for about 10 more.
"""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from sojourn.data.protection import portrait, quality, retention_tables, trials

MEMBERS, BASE, TRIES = 1_000, 20, 40
BEGIN = pd.Timestamp("2024-01-01")
SHARES = {
    "plan": {"monthly": 0.6, "annual": 0.3, "family": 0.1},
    "channel": {"search": 0.4, "friends": 0.3, "partner": 0.2, "radio": 0.1},
}
META = {
    "portrait": {
        "params": {"follow_days": 30, "active_days": 30},
        **dict.fromkeys(("members", "joined_before", "followed", "without_events", "before_joining"), 0),
        "read": None,
    },
    "retention": {
        **dict.fromkeys(("members", "late", "signs"), 0),
        **dict.fromkeys(("first_sign", "last_sign", "as_of"), "2024-12-31T00:00:00+00:00"),
        "left_out": {},
    },
    "trials": {"other_state": 0},
    "quality": {"read": {}, "kept": {}, "members": 0, "left": 0},
}


def drawn(seed: int) -> pd.DataFrame:
    """Return members of a year, one row each, with what all studies count of them."""
    rng = np.random.default_rng(seed)
    people = pd.DataFrame(
        {by: rng.choice(list(shares), MEMBERS, p=list(shares.values())) for by, shares in SHARES.items()}
    )
    begun = rng.integers(0, 364, MEMBERS)
    stays = np.ceil(rng.exponential(np.where(people["plan"] == "annual", 400, 150))).astype(int)
    return people.assign(
        all="all",
        begun=begun,
        potential=364 - begun,
        churned=stays <= 364 - begun,
        exit=np.minimum(stays, 364 - begun),
        first=np.ceil(rng.gamma(2, 6, MEMBERS)).astype(int),
        came=rng.binomial(30, rng.beta(1, 4, MEMBERS)),
        bought=rng.negative_binomial(1, 0.2, MEMBERS),
        scheme=rng.choice(["coupon", "none"], MEMBERS),
        kept=rng.integers(0, 2, MEMBERS),
        reason=rng.choice(["price", "content", "service", "unknown"], MEMBERS, p=[0.4, 0.3, 0.1, 0.2]),
        away=np.where(rng.random(MEMBERS) < 0.4, rng.integers(1, 60, MEMBERS), 1_000),
    )


def counted(rows: pd.DataFrame, by: list[str], name: str) -> pd.DataFrame:
    return rows.groupby(by).size().rename(name).reset_index()


def exact(people: pd.DataFrame) -> dict[str, dict[str, pd.DataFrame]]:
    """Return exact cells of all studies."""
    at = BEGIN + pd.to_timedelta(people["begun"], unit="D")
    gone = BEGIN + pd.to_timedelta(people["begun"] + people["exit"], unit="D")
    with_us = people.assign(with_us=(~people["churned"]).astype(int))
    groups = [
        with_us.assign(by=by, group=people[by])
        .groupby(["by", "group"])["with_us"]
        .agg(["size", "size", "sum"])
        .set_axis(["members", "joined", "with_us"], axis=1)
        .reset_index()
        for by in ("all", *SHARES)
    ]
    weeks = people.assign(week=(at - pd.to_timedelta(at.dt.weekday, unit="D")).dt.date)
    left = people["churned"]
    days = [
        counted(pd.DataFrame({"day": rows.dt.date, "what": what}), ["day", "what"], "n")
        for what, rows in (("joined", at), ("left", gone[left]))
    ]
    early = people[people["first"] < 30].assign(step="first value moment", day=lambda t: t["first"])
    stages = people.assign(stage=np.where(left, "left", "active"))
    assigned = people.assign(outcome="kept", stratum=people["plan"], period=at.dt.strftime("%Y-%m"), n=1)
    keys = ["outcome", "scheme", "stratum", "period"]
    return {
        "portrait": {
            "joined": counted(weeks, ["week", "channel"], "members"),
            "groups": pd.concat(groups, ignore_index=True),
            "days": pd.concat(days, ignore_index=True),
            "steps": counted(early, ["step", "day"], "members"),
            "active": counted(people[~left], ["came"], "members").rename(columns={"came": "days"}),
            "stages": counted(stages, ["stage"], "members"),
            "purchases": counted(people, ["bought"], "members").rename(columns={"bought": "purchases"}),
        },
        "retention": {"risk": risk(people), **beside(people)},
        "trials": {
            "binary": assigned.groupby(keys)[["n", "kept"]].sum().rename(columns={"kept": "k"}).reset_index(),
            "split": assigned.groupby(["scheme", "period"])["n"]
            .agg(assigned="sum", matured="sum")
            .reset_index(),
            **beside_outcomes(people),
        },
        "quality": {"arms": counted(people.assign(trial="t"), ["trial", "scheme"], "members")},
    }


def beside_outcomes(people: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return tables of the trial that are only members: times, days with an event, traits, exposure."""
    rows = people.assign(stratum=people["plan"], period="all", outcome="kept", count=people["came"])
    every, left = np.ones(len(rows), dtype=bool), rows["churned"].to_numpy()
    ends = {"entered": (0, every), "churned": (rows["exit"], left), "censored": (rows["exit"], ~left)}
    keys = ["scheme", "stratum", "period"]
    seen = rows.assign(exposed=np.where(rows["scheme"] == "coupon", "yes", "no"))
    exposed = seen.groupby([*keys, "exposed", "outcome"])["kept"].agg(n="size", k="sum").reset_index()
    traits = [counted(people.assign(column=by, level=people[by]), ["column", "level", "scheme"], "assigned")
              for by in SHARES]  # fmt: skip
    return {
        "times": laid_out(rows, keys, ends),
        "activity": counted(rows, [*keys, "count"], "n"),
        "traits": pd.concat(traits, ignore_index=True),
        "exposed": exposed,
    }


def risk(people: pd.DataFrame) -> pd.DataFrame:
    marks = []
    for by in ("all", *SHARES):
        rows = people.assign(by=by, group=people[by], late=0)
        ended = np.where(rows["churned"], "churned", "censored")
        marks += [rows.assign(day=0, what="entered"), rows.assign(day=rows["exit"], what=ended)]
        marks += [rows.assign(day=rows["potential"], what="potential")]
    keys = ["by", "group", "late", "day"]
    wide = (
        pd.concat(marks)
        .assign(n=1)
        .pivot_table(index=keys, columns="what", values="n", aggfunc="sum", fill_value=0)
    )
    return wide[["entered", "churned", "censored", "potential"]].astype("int64").reset_index()


KEYS = ["by", "group"]


def laid_out(rows: pd.DataFrame, keys: list[str], marks: dict[str, tuple[object, object]]) -> pd.DataFrame:
    """Return counts by keys and day: each mark a day, and which rows it is of."""
    parts = [rows.assign(day=day, what=what)[of] for what, (day, of) in marks.items()]
    counts = (
        pd.concat(parts)
        .assign(n=1)
        .pivot_table(index=[*keys, "day"], columns="what", values="n", aggfunc="sum", fill_value=0)
    )
    return counts.reindex(columns=list(marks), fill_value=0).reset_index().rename_axis(columns=None)


def beside(people: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the tables of retention beside that of risk."""
    people = people.reset_index(drop=True)
    rows = pd.concat([people.assign(by=by, group=people[by]) for by in ("all", *SHARES)], ignore_index=True)
    every, left = np.ones(len(rows), dtype=bool), rows["churned"].to_numpy()
    back = left & (rows["exit"] + rows["away"] <= rows["potential"]).to_numpy()
    moves = {
        "entered": (0, every),
        "left": (rows["exit"], left),
        "back": (rows["exit"] + rows["away"], back),
        "ended": (rows["potential"], ~left | back),
        "ended_away": (rows["potential"], left & ~back),
    }
    ends = {"entered": (0, every), "churned": (rows["exit"], left), "censored": (rows["exit"], ~left)}
    gone = people[people["churned"]].assign(by="all", group="all")
    again = (gone["exit"] + gone["away"] <= gone["potential"]).to_numpy()
    seen = gone["potential"] - gone["exit"]
    away = {
        "entered": (0, np.ones(len(gone), dtype=bool)),
        "back": (gone["away"], again),
        "censored": (seen, ~again),
    }
    there = people[people["exit"] > 30].assign(by="active_days", group=lambda some: some["came"] // 5)
    there["group"] = there["group"].astype(str)
    ends_there = {name: (there["exit"] - 30, of[there.index]) for name, (_, of) in ends.items()}
    return {
        "reasons": counted(rows[left].assign(day=rows["exit"]), [*KEYS, "day", "reason"], "churned"),
        "moves": laid_out(rows, KEYS, moves),
        "away": laid_out(gone, KEYS, away),
        "landmark": laid_out(there, KEYS, {**ends_there, "entered": (0, np.ones(len(there), dtype=bool))}),
        **regression(people),
    }


def regression(people: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return patterns of plan and channel, now and 90 days before, and what became of those then with us."""
    seen = people[people["potential"] >= 90]
    before = seen["potential"] - 90
    then = seen.assign(known="then", churned=seen["churned"] & (seen["exit"] <= before))
    then["exit"] = np.minimum(seen["exit"], before)
    parts = []
    for rows in (people.assign(known="now"), then):
        left, every = rows["churned"].to_numpy(), np.ones(len(rows), dtype=bool)
        ends = {"entered": (0, every), "churned": (rows["exit"], left), "censored": (rows["exit"], ~left)}
        parts.append(laid_out(rows, ["plan", "channel", "known"], ends))
    there = then[~then["churned"]]
    later = seen.loc[there.index]
    after = np.where(later["churned"], -(-(later["exit"] - there["exit"]) // 7) * 7, 0)
    exam = there.assign(age=there["exit"] // 7 * 7, after=after)
    return {
        "patterns": pd.concat(parts, ignore_index=True),
        "exam": counted(exam, ["plan", "channel", "age", "after"], "members"),
    }


def shown(tables: dict[str, dict[str, pd.DataFrame]], base: int) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the same cells, protected."""
    return {
        "portrait": portrait.protect(tables["portrait"], META["portrait"], base, {})[0],
        "retention": retention_tables.protect(tables["retention"], META["retention"], base)[0],
        "trials": trials.protect(tables["trials"], META["trials"], base, {})[0],
        "quality": quality.protect(tables["quality"], META["quality"], base)[0],
    }


NAMES = ("by", "group", "late", "day", "week", "channel", "what", "step", "days", "stage", "purchases")
NAMES += (
    "column",
    "level",
    "count",
    "exposed",
    "outcome",
    "scheme",
    "stratum",
    "period",
    "trial",
    "plan",
    "reason",
    "known",
    "age",
    "after",
)


def numbers(cells: dict[str, dict[str, pd.DataFrame]]) -> dict[tuple, int]:
    """Return every number by where it stands."""
    found = {}
    for study, tables in cells.items():
        for name, table in tables.items():
            keys = [column for column in table.columns if column in NAMES]
            for row in table.to_dict("records"):
                where = (study, name, *(str(row[key]) for key in keys))
                found |= {(*where, column): int(n) for column, n in row.items() if column not in keys}
    return found


def moved(one: dict[tuple, int], other: dict[tuple, int]) -> dict[tuple, int]:
    apart = {where: one.get(where, 0) - other.get(where, 0) for where in one.keys() | other.keys()}
    return {where: n for where, n in apart.items() if n}


def by_label(apart: dict[tuple, int], by: str, yardstick: str) -> str:
    """Return the value of whose numbers most moved; the most common value where none did more."""
    score = {value: sum(value in where for where in apart) for value in SHARES[by]}
    best = [value for value, n in score.items() if n == max(score.values())]
    return best[0] if len(best) == 1 else yardstick


#: Numbers of which the least-squares attacker knows how members of a kind make them up.
WHOLE = {
    ("portrait", "groups", "members"): None,
    ("portrait", "groups", "with_us"): False,
    ("retention", "risk", "churned"): True,
    ("retention", "risk", "censored"): False,
}
CELLS = [(p, c, gone) for p in SHARES["plan"] for c in SHARES["channel"] for gone in (True, False)]


def by_least_squares(apart: dict[tuple, int], yardstick: tuple) -> tuple:
    """Return the cell (plan, channel, churned) by which two runs most differ, solved from totals."""
    known, told = [], []
    for (study, table, column), gone in WHOLE.items():
        for place, by in enumerate(SHARES):
            for group in SHARES[by]:
                known.append([cell[place] == group and gone in (None, cell[2]) for cell in CELLS])
                told.append(
                    sum(
                        n
                        for where, n in apart.items()
                        if where[:4] == (study, table, by, group) and where[-1] == column
                    )
                )
    if not any(told):
        return yardstick
    solved = np.linalg.lstsq(np.array(known, dtype=float), np.array(told, dtype=float))[0]
    return CELLS[int(solved.argmax())]


def by_pattern(apart: dict[tuple, int], yardstick: tuple) -> tuple:
    """Return the cell (plan, channel, churned) in whose pattern most moved."""
    score: dict[tuple, int] = {}
    for where, n in apart.items():
        if where[:2] == ("retention", "patterns") and where[4] == "now" and where[-1] != "entered":
            cell = (where[2], where[3], where[-1] == "churned")
            score[cell] = score.get(cell, 0) + abs(n)
    best = [cell for cell, n in score.items() if n == max(score.values())]
    return best[0] if len(best) == 1 else yardstick


@pytest.fixture(scope="module")
def tries() -> list[tuple[pd.Series, dict[str, dict[tuple, int]]]]:
    """Return members that are missing in the second run, and by what it differs, exact and protected."""
    people = drawn(1)
    cells = exact(people)
    full = {"exact": numbers(cells), "shown": numbers(shown(cells, BASE))}
    found = []
    for i in np.random.default_rng(5).choice(MEMBERS, TRIES, replace=False):
        fewer = exact(people.drop(index=i))
        runs = {"exact": numbers(fewer), "shown": numbers(shown(fewer, BASE))}
        found.append((people.loc[i], {kind: moved(full[kind], runs[kind]) for kind in runs}))
    return found


def chance(truth: list) -> tuple[object, int]:
    """Return the most common value, and how often who always says it is right, at most (1 in 1,000)."""
    common = max(sorted(set(truth)), key=truth.count)
    return common, int(binom.ppf(0.999, len(truth), truth.count(common) / len(truth)))


@pytest.mark.parametrize("by", list(SHARES))
def test_what_moved_between_two_runs_does_not_tell_of_the_member(tries, by) -> None:
    truth = [member[by] for member, _ in tries]
    common, most = chance(truth)
    exact_right, right = (
        sum(by_label(apart[kind], by, common) == member[by] for member, apart in tries)
        for kind in ("exact", "shown")
    )
    assert exact_right == len(tries) > most
    assert right <= most


@pytest.mark.parametrize("attack", [by_least_squares, by_pattern])
def test_neither_totals_of_groups_solved_nor_patterns_tell_the_members_cell(tries, attack) -> None:
    truth = [(member["plan"], member["channel"], bool(member["churned"])) for member, _ in tries]
    common, most = chance(truth)
    exact_right, right = (
        sum(attack(apart[kind], common) == cell for (_, apart), cell in zip(tries, truth, strict=True))
        for kind in ("exact", "shown")
    )
    assert exact_right == len(tries) > most
    assert right <= most
