"""k-means, structureless twins, valleys and stability against cases whose answer is known."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from sojourn.core.results.segments import NearestCentre, ScoreBands
from sojourn.estimators.cluster.copula import rank_correlation, structureless
from sojourn.estimators.cluster.partition import former, partition, pinned
from sojourn.estimators.cluster.stability import adjusted_rand, jaccard, returns
from sojourn.estimators.cluster.valley import (
    SMALLEST,
    border_depth,
    neighbours,
    shallowest_valley,
    valley_depth,
)


@pytest.fixture(autouse=True)
def one_thread():
    """Run as the study does: the arrays are small, and threads would only wait for each other."""
    with pinned():
        yield


def blobs(*centres, each=200, seed=1, spread=1.0):
    """Return round groups, and the group of every row."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(centres)), each)
    rows = np.array(centres, dtype=float)[group] + spread * rng.standard_normal((len(group), len(centres[0])))
    return rows, group


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 5), st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_a_member_belongs_to_the_nearest_centre(p, k, seed):
    rng = np.random.default_rng(seed)
    x, centres, metric = (rng.standard_normal(shape) for shape in ((30, p), (k, p), (p, p)))
    by_hand = [min(range(k), key=lambda j: float(((row @ metric - centres[j]) ** 2).sum())) for row in x]
    rule = NearestCentre(metric, centres)
    assert rule.assign(x).tolist() == by_hand
    assert rule.k == k


def test_a_score_on_a_bound_belongs_to_the_band_above():
    rule = ScoreBands(np.array([1.0, 2.0]), np.array([0.0, 3.0]))
    x = np.array([[-1.0, 0.0], [0.0, 0.0], [1.0, 0.9], [1.0, 1.0]])
    assert rule.assign(x).tolist() == [0, 1, 1, 2]
    assert rule.k == 3


def test_centres_are_the_means_of_their_members_in_a_fixed_order():
    x, group = blobs((6, 0), (0, 0), (0, 6))
    rule = partition(x, 3, rng=np.random.default_rng(3))
    labels, y = rule.assign(x), x @ rule.metric
    for j in range(3):
        # a few rows may move in the last round, for centres settle when 999 of 1,000 stay
        assert rule.centres[j] == pytest.approx(y[labels == j].mean(axis=0), abs=0.05)
    assert rule.centres[:, 0].tolist() == sorted(rule.centres[:, 0])
    pairs = set(zip(group[: len(group)].tolist(), labels.tolist(), strict=True))
    assert len(pairs) <= 5  # three groups; hardly anyone on a wrong side, at a distance of six


def test_the_metric_corrects_the_angle_of_k_means():
    # groups differ in the first feature only; the second follows it within groups, so that k-means cuts askew
    draw = np.random.default_rng(4)
    group = np.repeat([0, 1], 600)
    noise = draw.multivariate_normal([0, 0, 0], [[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], 1_200)
    x = noise + np.outer(group, [3.2, 0.0, 0.0])
    x = (x - x.mean(axis=0)) / x.std(axis=0)

    def wrong(rule):
        off = float(np.mean(rule.assign(x) != group))
        return min(off, 1 - off)

    plain = KMeans(2, n_init=10, random_state=1).fit(x).cluster_centers_
    assert wrong(NearestCentre(np.eye(3), plain)) > 0.05
    assert wrong(partition(x, 2, rng=draw)) < 0.03


def test_groups_across_the_direction_in_which_all_differ_most_are_found():
    # three groups by three shares that add up; all members differ far more in how active they are, which four
    # features tell: k-means on standardised features cuts along activity, and never leaves it
    draw = np.random.default_rng(14)
    group = np.repeat([0, 1, 2], 300)
    activity = draw.standard_normal((900, 1))
    mix = np.eye(3)[group] + 0.12 * draw.standard_normal((900, 3))
    x = np.hstack([activity + 0.4 * draw.standard_normal((900, 6)), mix])
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    plain = KMeans(3, n_init=10, random_state=1).fit(x).labels_
    assert adjusted_rand_score(group, plain) < 0.5
    for seed in range(5):
        found = partition(x, 3, rng=np.random.default_rng(seed)).assign(x)
        assert adjusted_rand_score(group, found) > 0.98


def test_groups_follow_the_members_through_shift_and_scale():
    x, _ = blobs((5, 0, 0), (0, 5, 0), (0, 0, 5))
    first = partition(x, 3, rng=np.random.default_rng(5)).assign(x)
    moved = partition(7.0 * x, 3, rng=np.random.default_rng(5)).assign(7.0 * x)
    assert len({*zip(first.tolist(), moved.tolist(), strict=True)}) == 3


@pytest.fixture(scope="module")
def tied():
    """Return correlated columns: one normal, one of counts with many zeros, one with heavy tails."""
    rng = np.random.default_rng(6)
    z = rng.multivariate_normal([0, 0, 0], [[1, 0.7, 0.4], [0.7, 1, 0.2], [0.4, 0.2, 1]], 4_000)
    return np.column_stack([z[:, 0], np.maximum(np.floor(2 * z[:, 1]), 0), np.exp(1.5 * z[:, 2])])


def test_a_structureless_twin_keeps_every_margin(tied):
    twin = structureless(tied, rng=np.random.default_rng(7))
    assert np.array_equal(twin.margins, np.sort(tied, axis=0))
    drawn = twin.draw(20_000, rng=np.random.default_rng(8))
    for column, original in zip(drawn.T, tied.T, strict=True):
        assert set(np.unique(column)) <= set(np.unique(original))
        shares = [
            np.searchsorted(np.sort(some), np.unique(original), "right") / len(some)
            for some in (column, original)
        ]
        # Kolmogorov distance of 20,000 draws from their distribution: above 1.95 / sqrt(n) once in 1,000
        assert np.abs(shares[0] - shares[1]).max() < 1.95 / np.sqrt(20_000)


def test_a_structureless_twin_keeps_rank_correlations_through_ties(tied):
    twin = structureless(tied, rng=np.random.default_rng(9))
    drawn = twin.draw(40_000, rng=np.random.default_rng(10))
    # tuned on 4,000 rows: a Spearman correlation of 4,000 has a standard error below 0.016; four of them
    assert rank_correlation(drawn) == pytest.approx(rank_correlation(tied), abs=0.064)
    plain = 2 * np.sin(np.pi / 6 * rank_correlation(tied))
    assert twin.root @ twin.root.T != pytest.approx(plain, abs=0.005)  # ties were corrected for


def test_rank_correlation_is_that_of_mid_ranks():
    from scipy.stats import spearmanr

    x = np.array([[1.0, 5.0], [1.0, 3.0], [2.0, 3.0], [7.0, 1.0], [9.0, 1.0], [0.0, 4.0]])
    assert rank_correlation(x)[0, 1] == pytest.approx(spearmanr(x[:, 0], x[:, 1]).statistic, abs=1e-12)


def test_a_structureless_twin_has_lost_its_structure():
    rng = np.random.default_rng(11)
    angle = rng.uniform(0, 2 * np.pi, 1_500)
    ring = np.column_stack([np.cos(angle), np.sin(angle)]) + 0.05 * rng.standard_normal((1_500, 2))
    square, _ = blobs((0, 0), (0, 7), (7, 0), each=400)
    filled, corners = (structureless(x, rng=rng).draw(2_000, rng=rng) for x in (ring, square))
    assert (np.hypot(*ring.T) < 0.5).sum() == 0  # nobody in the middle of the ring, nor in the fourth corner
    assert (np.hypot(*filled.T) < 0.5).mean() > 0.05
    assert (square > 4).all(axis=1).sum() == 0
    assert (corners > 4).all(axis=1).mean() > 0.02


def test_depth_of_a_valley_by_hand():
    rng = np.random.default_rng(12)
    half = np.abs(rng.standard_normal(2_000))
    assert valley_depth(-half, half) < 0.05  # one Gaussian cut in two has no valley
    low, high = (centre + 0.3 * rng.standard_normal(2_000) for centre in (0.0, 6.0))
    assert valley_depth(low, high) > 0.999  # nobody stands between
    assert valley_depth(np.zeros(50), np.ones(50)) == 1.0  # two points


def test_depth_of_a_valley_is_that_of_the_mixture():
    # halves of the mixture of N(-2, 1) and N(2, 1): density at 0 over the peak, both smoothed by the kernel
    rng = np.random.default_rng(13)
    all_of = np.concatenate([rng.standard_normal(40_000) - 2, rng.standard_normal(40_000) + 2])
    low, high = all_of[all_of < 0], all_of[all_of >= 0]
    spread = 0.93  # of one half; the kernel's bandwidth follows from it
    wide = np.hypot(1, 1.06 * spread * 80_000**-0.2)
    grid = np.linspace(0, 4, 2_001)
    density = np.exp(-(((grid - 2) / wide) ** 2) / 2) + np.exp(-(((grid + 2) / wide) ** 2) / 2)
    # bins of 1/256 of the range, and 80,000 draws with a kernel of 0.1: the density is within 3 in 100
    assert valley_depth(low, high) == pytest.approx(1 - density[0] / density.max(), abs=0.03)


def test_depth_of_a_border_by_hand():
    distance = np.arange(1.0, 101.0)
    crowd = np.where(distance <= 20, 4.0, 16.0)
    assert border_depth(-distance, crowd, distance, crowd) == pytest.approx(1 - 4 / 16)
    # the less crowded of the two cores counts
    assert border_depth(-distance, crowd, distance, crowd / 2) == pytest.approx(1 - 4 / 8)
    assert border_depth(-distance, np.full(100, 9.0), distance, np.full(100, 9.0)) == 0


def test_neighbours_are_counted_within_the_median_distance_to_the_fifteenth():
    z = np.random.default_rng(14).standard_normal((60, 2))
    apart = np.sqrt(((z[:, None] - z[None]) ** 2).sum(axis=2))
    radius = np.median(np.sort(apart, axis=1)[:, 15])
    # the point that sets the radius may fall on either side of it by one bit
    assert np.abs(neighbours(z) - (apart <= radius).sum(axis=1)).sum() <= 2


def test_valleys_of_groups_and_of_none():
    x, _ = blobs((0, 0, 0), (6, 0, 0), (0, 6, 0))
    rule = NearestCentre(np.eye(3), np.array([[0.0, 0, 0], [6, 0, 0], [0, 6, 0]]))
    assert shallowest_valley(x, rule) > 0.5
    # a centre more, in the middle of a group: the shallowest valley counts, not the deepest
    cut = NearestCentre(np.eye(3), np.vstack([rule.centres, [0.0, 0, 1.5]]))
    assert shallowest_valley(x, cut) < 0.2


def test_a_handful_has_no_valley():
    rule = NearestCentre(np.eye(2), np.array([[0.0, 0.0], [30.0, 0.0]]))
    x = np.vstack([blobs((0, 0), each=200)[0], blobs((30, 0), each=SMALLEST, spread=0.1)[0]])
    assert rule.assign(x).sum() == SMALLEST
    assert shallowest_valley(x, rule) > 0
    assert shallowest_valley(x[:-1], rule) == 0


def test_jaccard_by_hand():
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2])
    others = np.array([1, 1, 1, 2, 2, 2, 2, 0, 0])
    # {a,b,c,d} and {a,b,c}: 3/4; {e,f,g} and {d,e,f,g}: 3/4; the last is the same
    assert jaccard(labels, others, 3).tolist() == [0.75, 0.75, 1.0]
    assert jaccard(labels, labels, 3).tolist() == [1.0, 1.0, 1.0]


def test_groups_come_back_and_cuts_through_a_cloud_do_not():
    rng = np.random.default_rng(15)
    x, _ = blobs((0, 0), (6, 0), (0, 6), each=100)
    cloud = rng.standard_normal((300, 2))
    apart, cut = (
        returns(
            some,
            partition(some, 3, rng=rng).assign(some),
            former(3, rng=rng),
            k=3,
            resamples=5,
            rng=rng,
        )
        for some in (x, cloud)
    )
    assert apart.jaccard.min() > 0.97
    assert apart.rand > 0.95
    assert cut.jaccard.min() < 0.9
    assert cut.rand < apart.rand - 0.1


def test_rows_of_no_group_are_no_group_and_still_count():
    labels, others = np.array([0, 0, 0, -1, -1]), np.array([0, 0, -1, -1, 0])
    # {a,b,c} beside {a,b,e}: 2 of 4; what is of no group has no similarity
    assert jaccard(labels, others, 1).tolist() == [0.5]
    assert jaccard(labels, np.full(5, -1), 2).tolist() == [0.0, 0.0]


@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 3)), min_size=2, max_size=60))
def test_agreement_is_that_of_scikit_learn(pairs):
    labels, others = np.array(pairs).T
    # both divide the same sums of products of whole numbers
    assert adjusted_rand(labels, others) == pytest.approx(adjusted_rand_score(labels, others), abs=1e-12)
    assert adjusted_rand(labels, labels) == 1


BYTES = """
import hashlib, sys
import numpy as np
from sojourn.studies.segments.find import find_segments
from sojourn.studies.segments.worlds import planted
world, _ = planted(1200, 3, error=0.002, rng=np.random.default_rng(1))
found = find_segments(world, ks=(2, 3), null_draws=19, resamples=2, rng=np.random.default_rng(2))
digest = hashlib.sha256()
for part in (found.rule.metric, found.rule.centres) if found.has_groups else (found.rule.weights,):
    digest.update(part.tobytes())
for frame in (found.table, found.stability, found.exam):
    digest.update(frame.to_csv(float_format="%r").encode())
print(found.verdict, digest.hexdigest())
"""


def test_bytes_do_not_depend_on_the_number_of_threads():
    def run(threads):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        env = {**os.environ, **{name: str(threads) for name in names}}
        done = subprocess.run(
            [sys.executable, "-c", BYTES], env=env, capture_output=True, text=True, check=True
        )
        return done.stdout

    one = run(1)
    assert one == run(2)
    assert one.startswith("groups")
