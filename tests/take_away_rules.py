"""Rules to take away, and counts for them: by hand, and drawn."""

from decimal import Decimal

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from sojourn.core.measures import Counting, Kind, Measure
from sojourn.core.results.take_away import Condition, Fidelity, Leaf, Points, SegmentFidelity, TakeAway

COUNTING = Counting(30, 30, (Kind("view", "catalogue"), Kind('it\'s -- a "kind"\nof', None)))
OFTEN = Measure("frequency", "active days a month", ("active_days",), times=30, over="observed_days")
SILENT = Measure("recency", "days since last active", ("recency_days",))
SPENT = Measure("monetary", "spend a month", ("value",), times=30, over="observed_days", decimals=4)
TREND = Measure("trend", "change in active days", ("active_last",), ("active_before",))
MIX = Measure('it\'s -- a "kind"', "share of kind", ("kind_2",), over="events")
MEASURES = (OFTEN, SILENT, SPENT, TREND, MIX)
NAMES = ("steady", "it's; DROP TABLE members; -- \\", "лишь иногда “quoted”")
COLUMNS = (
    "observed_days",
    "recency_days",
    "active_days",
    "active_last",
    "active_before",
    "events",
    "kind_2",
    "value",
)


def fidelity(names):
    each = tuple(SegmentFidelity(name, 40, 38, 0.9, 0.8, 0.95, 0.91, 0.82, 0.96) for name in names)
    return Fidelity(120, 0.9, 0.83, 0.94, 0.4, 0.8, 0.18, 0.2, 0.02, -0.01, 0.05, 0.95, each)


def tree(leaves, *, measures=MEASURES, names=NAMES):
    return TakeAway(
        "demo",
        "tree",
        tuple(names),
        COUNTING,
        tuple(measures),
        tuple(leaves),
        (),
        (),
        "2025-04-01T00:00:00+00:00",
        "EUR",
        fidelity(names),
    )


def small_tree():
    """Active at least 4 days a month: steady; else by days of silence."""
    return tree(
        [
            Leaf((Condition(0, 4.0, None),), 0, 50, 0.9),
            Leaf((Condition(0, None, 4.0), Condition(1, None, 30.0)), 1, 30, 0.8),
            Leaf((Condition(0, None, 4.0), Condition(1, 30.0, None)), 2, 40, 0.95),
        ]
    )


def card(points, cuts, *, names=NAMES):
    return TakeAway(
        "demo",
        "scorecard",
        tuple(names),
        COUNTING,
        MEASURES,
        (),
        tuple(points),
        tuple(cuts),
        "2025-04-01T00:00:00+00:00",
        "EUR",
        fidelity(names),
    )


def small_card():
    return card([Points(0, (1.5, 4.0), (0, 3, 10)), Points(1, (7.0, 30.0), (6, 4, 0))], (5, 11))


def counts(**columns):
    """Return members with some counts; the others as of somebody seen now and then."""
    usual = dict.fromkeys(COLUMNS, 5) | {"observed_days": 120, "value": Decimal("12.3400")}
    n = max(len(column) for column in columns.values())
    rest = {name: [value] * n for name, value in usual.items() if name not in columns}
    return pd.DataFrame(rest | columns)[list(COLUMNS)]


BOUNDS = {
    0: (0.1, 0.35, 4.0, 15.0),
    1: (1.0, 7.0, 30.0),
    2: (-2.5, 0.01, 12.0),
    3: (-1.0, 0.0, 3.0),
    4: (0.2, 0.5),
}


@st.composite
def trees(draw):
    leaves = []

    def grow(conditions, depth):
        free = [m for m in BOUNDS if any(_inside(b, conditions.get(m)) for b in BOUNDS[m])]
        if depth == 0 or not free or not draw(st.booleans()):
            kept = tuple(Condition(m, *between) for m, between in conditions.items())
            leaves.append(Leaf(kept, draw(st.integers(0, len(NAMES) - 1)), 20, 0.5))
            return
        m = draw(st.sampled_from(free))
        bound = draw(st.sampled_from([b for b in BOUNDS[m] if _inside(b, conditions.get(m))]))
        low, high = conditions.get(m, (None, None))
        grow({**conditions, m: (low, bound)}, depth - 1)
        grow({**conditions, m: (bound, high)}, depth - 1)

    grow({}, 4)
    return tree(leaves)


def _inside(bound, between):
    low, high = between or (None, None)
    return (low is None or bound > low) and (high is None or bound < high)


@st.composite
def cards(draw):
    asked = draw(st.lists(st.sampled_from(sorted(BOUNDS)), min_size=1, max_size=4, unique=True))
    given_points = [
        Points(m, BOUNDS[m], tuple(draw(st.lists(st.integers(0, 10), min_size=n, max_size=n))))
        for m in asked
        for n in [len(BOUNDS[m]) + 1]
    ]
    cuts = draw(st.lists(st.integers(1, 30), min_size=2, max_size=2, unique=True))
    return card(given_points, sorted(cuts))


def rules():
    return trees() | cards()


#: Whole numbers, small ones and those on which bounds are met most often, and the largest.
_COUNT = st.one_of(st.integers(0, 40), st.sampled_from([0, 30, 60, 90, 120, 10**12]), st.none())
_MONEY = st.one_of(
    st.sampled_from(
        [Decimal(0), Decimal("-10.0000"), Decimal("0.0400"), Decimal("0.0401"), Decimal("999999999999.9999")]
    ),
    st.decimals(-1_000, 1_000, places=4),
    st.none(),
)


@st.composite
def any_counts(draw):
    rows = draw(
        st.lists(
            st.tuples(*(_MONEY if name == "value" else _COUNT for name in COLUMNS)), min_size=1, max_size=30
        )
    )
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def by_hand(rule, frame):
    """Return segments row by row, with fractions, straight from what a rule says: the oracle."""
    return np.array([_one(rule, row) for row in frame.to_dict("records")])


def _one(rule, row):
    if (
        any(pd.isna(row[name]) for name in rule.inputs)
        or row["observed_days"] < rule.counting.min_tenure_days
    ):
        return -1
    values = [_measured(measure, row) for measure in rule.measures]
    if rule.kind == "scorecard":
        total = sum(p.points[sum(values[p.measure] >= b for b in p.bounds)] for p in rule.card)
        return sum(total >= cut for cut in rule.cuts)
    fits = [
        leaf.segment
        for leaf in rule.leaves
        if all(
            (c.low is None or values[c.measure] >= c.low) and (c.high is None or values[c.measure] < c.high)
            for c in leaf.conditions
        )
    ]
    assert len(fits) == 1  # every member comes to exactly one leaf
    return fits[0]


def _measured(measure, row):
    """Return a measure as Python divides whole numbers: rounded once."""
    scale = 10**measure.decimals
    top = measure.times * (
        sum(int(row[n] * scale) for n in measure.plus) - sum(int(row[n] * scale) for n in measure.minus)
    )
    under = (int(row[measure.over]) if measure.over else 1) * scale
    return float(top) / float(under) if under > 0 else 0.0
