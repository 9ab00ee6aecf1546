"""Who never left, who is with us, and who comes back: cells made from histories, and counting beside them."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sojourn as sj
from sojourn.core.cells import Cells
from sojourn.core.errors import ParameterError, UndefinedError

EXACT = {"rtol": 1e-9, "atol": 1e-12}
META = {"unit": "day", "leaving": "cancellation", "lapse": None, "as_of": "2025-07-01T00:00:00Z"}


def histories(n, rng, *, longest=200, moves=6):
    """Draw when members leave and come back (days since joining), and how long they are followed."""
    spans = rng.exponential([40, 25] * moves, (n, 2 * moves)) * rng.choice([0.3, 2.0], (n, 1))
    at = np.cumsum(spans, axis=1)
    return at[:, 0::2], at[:, 1::2], rng.uniform(0, longest, n)


def cells_of(leaves, back, follow_up, **meta):
    """Return the cells of members seen from joining on, by the definitions of data/cells/retention."""
    rows = [_marks(*one) for one in zip(leaves, back, np.floor(follow_up), strict=True)]
    moves, risk, away = (pd.DataFrame([mark for one in rows for mark in one[i]]) for i in range(3))
    tables = {
        "moves": _summed(moves, "entered", "left", "back", "ended", "ended_away"),
        "risk": _summed(risk, "entered", "churned", "censored").assign(late=0),
        "away": _summed(away, "entered", "back", "censored"),
    }
    return Cells("test", "retention", tables, META | meta)


def _marks(leaves, back, end):
    """Return the marks of one member in `moves`, `risk` and `away`."""
    moves = [{"day": 0, "entered": 1}]
    net = Counter()
    for days, step in ((leaves, 1), (back, -1)):
        for day in np.ceil(days):
            net[day] += step
    kept = [(day, "left" if net[day] > 0 else "back") for day in sorted(net) if day <= end and net[day]]
    moves += [{"day": int(day), what: 1} for day, what in kept]
    moves.append({"day": int(end), "ended_away" if kept and kept[-1][1] == "left" else "ended": 1})
    first = np.ceil(leaves[0])
    gone = first <= end
    risk = [{"day": 0, "entered": 1}, {"day": int(min(first, end)), "churned" if gone else "censored": 1}]
    if not gone:
        return moves, risk, []
    seen, returned = np.floor(end - leaves[0]), np.ceil(back[0] - leaves[0])
    is_back = returned <= seen
    away = [{"day": 0, "entered": 1}, {"day": int(min(returned, seen)), "back" if is_back else "censored": 1}]
    return moves, risk, away


def _summed(marks, *columns):
    marks = marks.reindex(columns=["day", *columns]).fillna(0).astype(int)
    return marks.groupby("day", as_index=False).sum().assign(by="all", group="all")


@pytest.fixture(scope="module")
def moving():
    return cells_of(*histories(1_500, np.random.default_rng(5)))


# --- counting beside it ---


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(25, 80))
def test_without_censoring_both_curves_are_counts(seed, n):
    leaves, back, _ = histories(n, np.random.default_rng(seed))
    result = sj.with_us(cells_of(leaves, back, np.full(n, 100.0)), min_group=1)
    if result.why_empty:
        assert not (np.ceil(back[:, 0]) <= 100).any() or not (np.ceil(leaves[:, 0]) <= 100).any()
        return
    for day in range(result.followed_to + 1):
        away = ((np.ceil(leaves) <= day) & (day < np.ceil(back))).any(axis=1)
        ever = np.ceil(leaves[:, 0]) <= day
        row = result.at(day)
        assert row["with_us_share"] == pytest.approx(1 - away.mean(), abs=1e-12)
        assert row["never_left_share"] == pytest.approx(1 - ever.mean(), abs=1e-12)
        if not np.isnan(row["back_share"]):
            assert row["back_share"] == pytest.approx((ever & ~away).sum() / ever.sum(), abs=1e-12)


def test_without_censoring_the_error_of_who_is_back_is_that_of_a_share_of_those_who_left():
    leaves, back, _ = histories(800, np.random.default_rng(2))
    row = sj.with_us(cells_of(leaves, back, np.full(800, 100.0))).at(60)
    n = ((1 - row["never_left_share"]) * 800).round()
    p = row["back_share"]
    reach = 1.959963984540054 * np.sqrt(p * (1 - p) / n) / (p * np.log(p))  # log-log, binomial error
    np.testing.assert_allclose(row["back_share_low"], p ** np.exp(-reach), rtol=1e-6)
    np.testing.assert_allclose(row["back_share_high"], p ** np.exp(reach), rtol=1e-6)


def test_never_left_is_the_curve_of_the_members_seen_from_joining_on(moving):
    result, curve = sj.with_us(moving), sj.retention_curve(moving)
    np.testing.assert_allclose(
        result.table["never_left_share"], curve.table["retained"][: len(result.table)], **EXACT
    )
    assert result.table["with_us_share"].ge(result.table["never_left_share"] - 1e-12).all()


def test_late_entrants_are_in_neither_curve(moving):
    late = moving["risk"].assign(late=1)
    risk = pd.concat([moving["risk"], late[late["day"] > 20]])
    with_late = Cells("test", "retention", dict(moving.tables) | {"risk": risk}, moving.meta)
    pd.testing.assert_frame_equal(sj.with_us(with_late).table, sj.with_us(moving).table)


def test_the_order_of_rows_does_not_matter(moving):
    tables = {name: table.sample(frac=1, random_state=1) for name, table in moving.tables.items()}
    shuffled = Cells("test", "retention", tables, moving.meta)
    pd.testing.assert_frame_equal(sj.with_us(shuffled).table, sj.with_us(moving).table)
    pd.testing.assert_frame_equal(sj.time_to_return(shuffled).table, sj.time_to_return(moving).table)


def test_the_two_curves_never_are_one_number(moving):
    result = sj.with_us(moving)
    never, here = result.never_left(90), result.with_us(90)
    assert here.value > never.high
    assert here.low > never.value
    said = sj.say(result)
    assert "are with us" in said
    assert "have never left" in said


# --- where curves end ---


def test_curves_end_where_few_have_never_left(moving):
    for min_group in (20, 50):
        result = sj.with_us(moving, min_group=min_group)
        curve = sj.retention_curve(moving, min_group=min_group)
        assert result.followed_to == curve.followed_to["all"]
    with pytest.raises(UndefinedError, match="asked for 300"):
        result.with_us(300)
    assert sj.with_us(moving, horizon=300).horizon <= 200


def test_of_few_who_left_nothing_is_said(moving):
    table = sj.with_us(moving, min_group=400).table
    observed_and_gone = table["at_risk"] * (1 - table["never_left_share"])
    assert table.loc[observed_and_gone < 300, "back_share"].isna().all()
    assert table["back_share"].notna().any()


def test_where_more_are_away_than_ever_left_nothing_is_said(moving):
    """Counts made coarse for privacy may not agree: then there is no share rather than a wrong one."""
    risk = moving["risk"]
    fewer = risk.assign(
        churned=risk["churned"] // 4, censored=risk["censored"] + risk["churned"] - risk["churned"] // 4
    )
    table = sj.with_us(Cells("test", "retention", dict(moving.tables) | {"risk": fewer}, moving.meta)).table
    more_away = 1 - table["with_us_share"] >= 1 - table["never_left_share"]
    assert more_away.any()
    assert table.loc[more_away, "back_share"].isna().all()


# --- time to return ---


def test_without_censoring_time_to_return_is_a_count():
    leaves, back, _ = histories(500, np.random.default_rng(4))
    leaves[:, 0] = 1.0
    back[:, 0] = 1.0 + np.random.default_rng(1).exponential(50, 500)
    later = np.full((500, 5), 5_000.0)  # nobody moves again
    result = sj.time_to_return(
        cells_of(
            np.column_stack([leaves[:, 0], later]),
            np.column_stack([back[:, 0], later + 1]),
            np.full(500, 301.0),
        )
    )
    away = np.ceil(back[:, 0] - 1)
    for day in (1, 7, 30, 90):
        assert result.back(day).value == pytest.approx((away <= day).mean(), abs=1e-12)
    assert result.left == 500
    assert result.readings()["duration"].tolist() == [7, 30, 90, *([180] if len(result.table) > 180 else [])]


def test_a_silence_within_the_lapse_is_no_return():
    leaves, back, follow_up = histories(800, np.random.default_rng(6), longest=400)
    back = leaves + 31 + (back - leaves)  # a gap shorter than the lapse is none
    result = sj.time_to_return(cells_of(leaves, back, follow_up, leaving="silence", lapse=30), horizon=7)
    assert result.table["duration"].min() == 31
    assert min(result.days) > 30
    assert result.horizon == 90
    with pytest.raises(UndefinedError, match="from 31"):
        result.back(7)
    assert "Nobody can come back within 30 days" in sj.say(result)


def test_sentences_read_silence_where_members_can_be_back():
    leaves, back, follow_up = histories(900, np.random.default_rng(6))
    cells = cells_of(leaves, leaves + 31 + back, follow_up, leaving="silence", lapse=40)
    assert sj.with_us(cells, horizon=30).horizon == 80
    assert sj.with_us(cells, horizon=60).horizon == 60


def test_bounds_of_coming_back_are_those_of_staying_away(moving):
    from sojourn.estimators.survival.kaplan_meier import kaplan_meier
    from sojourn.estimators.survival.risk_set import risk_set

    table, rows = sj.time_to_return(moving, min_group=1).table, moving["away"]
    still = kaplan_meier(
        risk_set(*(rows[n].to_numpy() for n in ("day", "entered", "back", "censored"))), 0.95
    )
    np.testing.assert_allclose(table["back_share_low"], 1 - still.high, **EXACT)
    np.testing.assert_allclose(table["back_share_high"], 1 - still.low, **EXACT)
    sure = table[table["claimed"]]
    assert sure["back_share"].between(sure["back_share_low"], sure["back_share_high"]).all()


# --- nothing to say ---


def test_why_there_is_nothing():
    rng = np.random.default_rng(8)
    leaves, back, follow_up = histories(100, rng)
    stay = cells_of(leaves + 1_000, back + 1_000, follow_up)
    gone = cells_of(leaves, back + 1_000, follow_up)
    without = Cells("test", "retention", {"risk": stay["risk"]}, stay.meta)
    for cells, why in ((without, "do not say"), (stay, "Nobody has left"), (gone, "come back so far")):
        result = sj.with_us(cells)
        assert why in result.why_empty == repr(result) == sj.say(result)
        assert sj.brief(result) == ""
        with pytest.raises(UndefinedError):
            result.with_us(1)
        with pytest.raises(UndefinedError):
            sj.plot_occupation(result)
    for cells, why in ((without, "do not say"), (gone, "come back so far")):
        result = sj.time_to_return(cells)
        assert why in result.why_empty == sj.say(result)
        assert sj.brief(result) == ""
    few = cells_of(leaves[:10], back[:10], follow_up[:10])
    assert "Fewer than 20" in sj.with_us(few).why_empty
    assert "Fewer than 20" in sj.time_to_return(few).why_empty


def test_casebook_cells_say_why_in_one_sentence():
    meta = META | {"unit": "month", "potential_known": False}
    risk = pd.DataFrame(
        {"by": "all", "group": "all", "late": 0, "day": [0, 5], "entered": [90, 0], "churned": [0, 40]}
    ).assign(censored=[0, 50], potential=0)
    cells = Cells("telco", "retention", {"risk": risk}, meta)
    for result in (sj.with_us(cells), sj.time_to_return(cells), sj.reasons(cells)):
        assert result.why_empty.count(".") == 1


def test_a_mass_is_a_mass(moving):
    with pytest.raises(ParameterError, match="mass"):
        sj.with_us(moving, mass=1.0)
    with pytest.raises(ParameterError, match="mass"):
        sj.time_to_return(moving, mass=0)


# --- the truth of the simulated world ---


def test_the_truth_is_set_beside_it(moving):
    retention = {
        "survival": [
            {"group": "all", "level": "all", "day": d, "survival": s} for d, s in ((7, 0.9), (900, 0.1))
        ],
        "with_us": [{"day": 7, "share": 0.95}, {"day": 900, "share": 0.2}],
    }
    truth = {"retention": retention, "parameters": {"churn": {"returns": 0.2, "return_days": 45.0}}}
    known = Cells("demo", "retention", moving.tables, dict(moving.meta) | {"truth": truth})
    both = sj.with_us(known).truth
    assert both.to_dict("list") == {"duration": [7], "with_us_share": [0.95], "never_left_share": [0.9]}
    back = sj.time_to_return(known, days=(45,)).truth
    assert back["back_share"].tolist() == pytest.approx([0.2 * (1 - np.exp(-1))])
    assert sj.with_us(moving).truth is None
    assert sj.time_to_return(moving).truth is None
