"""Laws of weighted members: frequency and probability weights are told apart; nothing touches global
randomness."""

import ast
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sojourn
from sojourn.estimators.survival.bands import survival_band
from sojourn.estimators.survival.kaplan_meier import kaplan_meier, product_limit
from sojourn.estimators.survival.log_rank import log_rank, max_combo, stratified_log_rank
from sojourn.estimators.survival.nelson_aalen import nelson_aalen
from sojourn.estimators.survival.quantiles import quantile
from sojourn.estimators.survival.restricted_mean import difference, ratio, restricted_mean
from sojourn.estimators.survival.risk_set import risk_set
from sojourn.estimators.survival.shares import exact_rate, exact_share, holm
from sojourn.estimators.survival.weighted import WeightedSpells, weighted_mean, weighted_survival

#: Sums of at most 60 terms; a robust variance is a difference of such sums: eight digits of its own size.
RTOL, ATOL = 1e-9, 1e-8


def spells(entry, end, churned, weight, members=1):
    entry, end, churned, weight = map(np.asarray, (entry, end, churned, weight))
    n = np.broadcast_to(members, end.shape).astype(np.int64)
    weight = weight.astype(float)
    return WeightedSpells(entry, end, churned.astype(bool), n, n * weight, n * weight**2)


@st.composite
def drawn(draw, *, late=True):
    n = draw(st.integers(2, 40))
    end = np.array(draw(st.lists(st.integers(1, 30), min_size=n, max_size=n)))
    churned = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    back = np.array(draw(st.lists(st.integers(1, 40), min_size=n, max_size=n)))
    entry = np.maximum(end - back, 0) if late else np.zeros_like(end)
    weight = np.array(draw(st.lists(st.sampled_from([0.25, 0.5, 1.0, 1.5, 3.0]), min_size=n, max_size=n)))
    return entry, end, churned, weight


def one_by_one(entry, end, churned, weight, day):
    """Return S and its robust error at a day, member by member: the definition, without running sums."""
    days = np.arange(end.max() + 1)
    there = ((entry[:, None] < days) | (entry[:, None] == 0)) & (end[:, None] >= days)
    gone = (end[:, None] == days) & churned[:, None]
    n, d = weight @ there, weight @ gone
    left = (there & ~gone).sum(axis=0)
    alive = bool((left[: day + 1][d[: day + 1] > 0] > 0).all())
    upto = slice(0, day + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        moves = np.where(d > 0, there * d / (n * (n - d)), 0.0) - np.where(gone, 1 / (n - d), 0.0)
    share = np.where(n > 0, 1 - d / np.where(n > 0, n, 1), 1.0)[upto].prod()
    return share, np.sqrt((weight**2 * moves[:, upto].sum(axis=1) ** 2).sum()) * share, alive


@settings(deadline=None)
@given(drawn(), st.integers(0, 30))
def test_the_robust_error_is_the_sum_over_members_of_their_influence(world, day):
    day = min(day, int(world[1].max()))
    share, se, alive = one_by_one(*world, day)
    ours = weighted_survival(spells(*world), 0.95)
    if alive:
        assert ours.retained[day] == pytest.approx(share, rel=RTOL)
        assert ours.se[day] == pytest.approx(se, rel=RTOL, abs=ATOL)
    else:
        assert ours.retained[day] == 0
        assert np.isnan(ours.se[day])


@settings(deadline=None)
@given(drawn())
def test_adding_up_alike_members_changes_nothing(world):
    """Rows of members who entered, ended and weigh alike may be merged: the sums are sufficient."""
    entry, end, churned, weight = world
    rows, count = np.unique(np.c_[entry, end, churned], axis=0, return_counts=True)
    place = [np.flatnonzero((np.c_[entry, end, churned] == row).all(axis=1)) for row in rows]
    merged = WeightedSpells(
        rows[:, 0].astype(np.int64),
        rows[:, 1].astype(np.int64),
        rows[:, 2].astype(bool),
        count,
        np.array([weight[at].sum() for at in place]),
        np.array([(weight[at] ** 2).sum() for at in place]),
    )
    one, other = (weighted_survival(s, 0.9) for s in (spells(*world), merged))
    np.testing.assert_allclose(one.retained, other.retained, rtol=RTOL, atol=1e-12)
    np.testing.assert_allclose(one.se, other.se, rtol=RTOL, atol=ATOL)
    means = [weighted_mean(s).se for s in (spells(*world), merged)]
    np.testing.assert_allclose(*means, rtol=RTOL, atol=1e-6)


@settings(deadline=None)
@given(drawn())
def test_expanding_frequency_weights_into_rows_changes_nothing(world):
    entry, end, churned, _ = world
    times = np.arange(len(end)) % 4 + 1
    none, left = np.zeros_like(end), churned.astype(np.int64)

    def counted(entry, end, left, n):
        into, zero = n, np.zeros_like(n)
        gone, stayed = np.r_[zero, n * left], np.r_[zero, n * (1 - left)]
        return risk_set(np.r_[entry, end], np.r_[into, zero], gone, stayed)

    once = counted(entry, end, left, times)
    rows = [np.repeat(values, times) for values in (entry, end, left)]
    expanded = counted(*rows, np.ones_like(rows[0]))
    for column in ("retained", "se", "low", "high"):
        np.testing.assert_array_equal(
            getattr(kaplan_meier(once, 0.9), column), getattr(kaplan_meier(expanded, 0.9), column)
        )
    np.testing.assert_array_equal(restricted_mean(once).se, restricted_mean(expanded).se)
    assert none.sum() == 0


@settings(deadline=None)
@given(drawn(), st.sampled_from([2.0, 7.0]))
def test_scaling_probability_weights_changes_nothing_and_frequencies_narrow(world, factor):
    entry, end, churned, weight = world
    one, other = (weighted_survival(spells(entry, end, churned, w), 0.9) for w in (weight, factor * weight))
    np.testing.assert_allclose(one.retained, other.retained, rtol=RTOL, atol=1e-12)
    np.testing.assert_allclose(one.se, other.se, rtol=RTOL, atol=ATOL)


def test_one_member_who_weighs_two_is_not_two_members():
    """Same curve, other error: the weight of one is known from one."""
    heavy = spells([0] * 4, [2, 5, 7, 9], [1, 0, 1, 0], [2, 1, 1, 1])
    twice = spells([0] * 5, [2, 2, 5, 7, 9], [1, 1, 0, 1, 0], [1] * 5)
    one, other = weighted_survival(heavy, 0.95), weighted_survival(twice, 0.95)
    np.testing.assert_allclose(one.retained, other.retained, rtol=RTOL)
    assert one.se[2] > other.se[2] * 1.2


@settings(deadline=None)
@given(drawn(late=False))
def test_without_censoring_and_weights_robust_and_greenwood_agree(world):
    _, end, _, _ = world
    everyone = np.ones_like(end)
    robust = weighted_survival(spells(0 * end, end, everyone, everyone), 0.9)
    risk = counted_of(0 * end, end, everyone.astype(bool))
    np.testing.assert_allclose(robust.retained, product_limit(risk), rtol=RTOL, atol=1e-12)
    inside = robust.retained > 0
    np.testing.assert_allclose(robust.se[inside], kaplan_meier(risk, 0.9).se[inside], rtol=1e-7, atol=1e-9)


@settings(deadline=None, max_examples=50)
@given(drawn(), st.integers(1, 30), st.sampled_from(["step", "trapezium"]))
def test_the_error_of_a_weighted_mean_is_that_of_its_area(world, until, rule):
    """By numerical derivatives in every weight: central differences of 1e-6 are good to about 1e-7."""
    entry, end, churned, weight = world
    until = min(until, int(end.max()))
    found = weighted_mean(spells(*world), rule=rule)
    step, slopes = 1e-6, []
    for member in range(len(end)):
        bump = np.zeros(len(end))
        bump[member] = step
        up, down = (
            weighted_mean(spells(entry, end, churned, weight + sign * bump), rule=rule).mean[until]
            for sign in (1, -1)
        )
        slopes.append((up - down) / (2 * step))
    expected = np.sqrt((weight**2 * np.array(slopes) ** 2).sum())
    assert found.se[until] == pytest.approx(expected, rel=1e-5, abs=1e-5)


@settings(deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=30))
def test_members_who_are_only_censored_all_stay(exits):
    exits = np.array(exits)
    one, none = np.ones_like(exits), np.zeros_like(exits)
    risk = risk_set(np.r_[none, exits], np.r_[one, none], np.r_[none, none], np.r_[none, one])
    curve = kaplan_meier(risk, 0.95)
    assert (curve.retained == 1).all()
    assert (curve.se == 0).all()
    assert np.isnan(curve.low).all()
    assert (nelson_aalen(risk, 0.95).hazard == 0).all()
    assert (restricted_mean(risk, rule="step").mean == np.arange(len(risk))).all()


def test_three_who_leave_in_week_40_change_week_8_only_through_the_risk_set():
    """2,000 members: 20 leave in each of weeks 1 to 50, 1,000 stay. With three more who leave in week 40
    every week up to 39 has three more at risk: S(8) is the product of (n + 3 - 20) / (n + 3), and no leaver
    moves.
    """
    weeks = np.repeat(np.arange(1, 51), 20)

    def world(extra):
        left = np.r_[weeks, [40] * extra]
        day, n = np.r_[0, left, 52], np.r_[2_000 + extra, np.zeros(len(left) + 1, dtype=int)]
        stay = np.r_[np.zeros(len(left) + 1, dtype=int), 1_000]
        return risk_set(day, n, np.r_[0, np.ones_like(left), 0], stay)

    base, more = world(0), world(3)
    assert (more.churned[:40] == base.churned[:40]).all()
    assert (more.at_risk[:41] == base.at_risk[:41] + 3).all()
    assert product_limit(base)[8] == pytest.approx(1_840 / 2_000, rel=1e-12)
    assert product_limit(more)[8] == pytest.approx(1_843 / 2_003, rel=1e-12)
    assert more.churned[40] == 23


# --- ties of the hazard, and the largest of three ---------------------------------------------------------


@settings(deadline=None)
@given(st.integers(1, 3_000), st.data())
def test_ties_one_by_one_are_the_sum_of_inverses(n, data):
    d = data.draw(st.integers(0, n))
    risk = risk_set(np.array([0, 1, 1]), np.array([n, 0, 0]), np.array([0, d, 0]), np.array([0, 0, n - d]))
    found = nelson_aalen(risk, 0.95, ties="one by one")
    each = 1 / np.arange(n - d + 1, n + 1)
    assert found.hazard[1] == pytest.approx(each.sum(), rel=1e-12)
    assert found.se[1] == pytest.approx(np.sqrt((each**2).sum()), rel=1e-12)


@settings(deadline=None, max_examples=25)
@given(drawn(late=True), st.integers(1, 5))
def test_the_largest_of_three_has_the_probability_of_its_square(world, seed):
    """By a sum over a grid of the two normals: 1,601 x 1,601 points on 8 standard errors, good to 1e-3."""
    entry, end, churned, _ = world
    group = np.random.default_rng(seed).integers(0, 2, len(end))
    pair = [counted_of(entry[group == g], end[group == g], churned[group == g]) for g in (0, 1)]
    found = max_combo(*pair)
    if not found.z:
        return
    late = log_rank(pair, weights="fleming-harrington", gamma=1.0)
    early = log_rank(pair, weights="fleming-harrington", rho=1.0)
    both = log_rank(pair)
    assert found.z["late"] ** 2 == pytest.approx(late.statistic, rel=1e-6, abs=1e-9)
    assert found.z["early"] ** 2 == pytest.approx(early.statistic, rel=1e-6, abs=1e-9)
    assert found.z["log-rank"] ** 2 == pytest.approx(both.statistic, rel=1e-6, abs=1e-9)
    sd = [np.sqrt(test.covariance[0, 0]) for test in (early, late, both)]
    r = np.clip((sd[2] ** 2 - sd[0] ** 2 - sd[1] ** 2) / (2 * sd[0] * sd[1]), -1, 1)
    if 1 - r**2 < 1e-3:
        return
    z = np.linspace(-8, 8, 1_601)
    x, u = np.meshgrid(z, z)
    y = r * x + np.sqrt(1 - r**2) * u
    density = np.exp(-(x**2 + u**2) / 2) / (2 * np.pi) * (z[1] - z[0]) ** 2
    largest = np.maximum(np.maximum(abs(x), abs(y)), abs(sd[0] * x + sd[1] * y) / sd[2])
    smooth = np.clip((largest - found.statistic) / 0.01 + 0.5, 0, 1)
    assert found.p == pytest.approx((density * smooth).sum(), abs=2e-3)


def counted_of(entry, end, churned):
    one, none, left = np.ones_like(end), np.zeros_like(end), churned.astype(np.int64)
    return risk_set(np.r_[entry, end], np.r_[one, none], np.r_[none, left], np.r_[none, 1 - left])


@settings(deadline=None)
@given(drawn())
def test_one_stratum_is_no_stratum_and_copies_of_it_add_up(world):
    entry, end, churned, _ = world
    pair = [counted_of(entry[g::2], end[g::2], churned[g::2]) for g in (0, 1)]
    alone, twice = stratified_log_rank([pair]), stratified_log_rank([pair, pair])
    assert log_rank(pair).statistic == alone.statistic
    assert twice.statistic == pytest.approx(2 * alone.statistic, rel=1e-9, abs=1e-12)


# --- randomness ---------------------------------------------------------------------------------------


def test_no_call_touches_the_global_random_state():
    world = (np.array([0, 0, 1, 0]), np.array([2, 5, 7, 9]), np.array([True, False, True, True]), np.ones(4))
    risk, own = counted_of(*world[:3]), spells(*world)
    np.random.seed(1)  # noqa: NPY002 (the global state is what is watched here)
    before = repr(np.random.get_state())  # noqa: NPY002
    curve = kaplan_meier(risk, 0.95)
    for call in (
        lambda: nelson_aalen(risk, 0.95, ties="one by one"),
        lambda: quantile(curve.retained, curve.low, curve.high, 0.5),
        lambda: [survival_band(risk, 0.95, kind=kind) for kind in ("equal precision", "hall-wellner")],
        lambda: [restricted_mean(risk), weighted_mean(own), weighted_survival(own, 0.95)],
        lambda: [difference(1, 2, 0.1, 0.1, 0.9), ratio(1, 2, 0.1, 0.1, 0.9)],
        lambda: [log_rank([risk, risk]), stratified_log_rank([[risk, risk]]), max_combo(risk, risk)],
        lambda: [
            exact_share(np.array([1]), np.array([2]), 0.9),
            exact_rate(np.array([1]), np.array([2.0]), 0.9),
        ],
        lambda: holm(np.array([0.1, 0.2])),
    ):
        call()
        assert repr(np.random.get_state()) == before  # noqa: NPY002


def test_no_module_of_the_room_names_the_global_random_state():
    """Whatever stands in the room draws from a generator that it is given, or not at all."""
    room = Path(sojourn.__file__).parent / "estimators" / "survival"
    allowed = {"Generator", "default_rng", "SeedSequence"}
    for path in sorted(room.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("np.random", "numpy.random"):
                assert node.attr in allowed, f"{path.name}, line {node.lineno}: np.random.{node.attr}"
            if isinstance(node, ast.Attribute | ast.keyword):
                name = node.attr if isinstance(node, ast.Attribute) else node.arg
                assert name != "random_state", f"{path.name}: random_state"
