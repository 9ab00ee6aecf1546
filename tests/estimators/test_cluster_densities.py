"""Mixtures, crowds and simple smooth models against scikit-learn and closed forms."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture

from sojourn.estimators.cluster.density import crowds
from sojourn.estimators.cluster.mixture import (
    LEAST_VARIANCE,
    best_mixture,
    grouped_density,
    mixture,
    single_density,
)
from sojourn.estimators.cluster.partition import pinned
from sojourn.estimators.cluster.silhouette import best_partition
from sojourn.estimators.cluster.smooth import components, least_squares, simple_predictions


@pytest.fixture(autouse=True)
def one_thread():
    with pinned():
        yield


def blobs(distance, each=300, seed=1):
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(3), each)
    centres = distance * np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    return centres[group] + rng.standard_normal((3 * each, 3)), group


def test_one_gaussian_has_the_density_of_scikit_learn():
    x, _ = blobs(2.0)
    other = blobs(2.0, seed=2)[0]
    model = GaussianMixture(1, reg_covar=LEAST_VARIANCE).fit(x)
    assert single_density(x, other) == pytest.approx(model.score(other), abs=1e-10)


def test_groups_have_the_density_of_a_mixture_with_one_covariance():
    x, group = blobs(4.0)
    other = blobs(4.0, seed=2)[0]
    centres = np.array([x[group == i].mean(axis=0) for i in range(3)])
    within = (x - centres[group]).T @ (x - centres[group]) / len(x) + LEAST_VARIANCE * np.eye(3)
    model = GaussianMixture(3, covariance_type="tied")
    model.weights_, model.means_, model.covariances_ = np.bincount(group) / len(x), centres, within
    model.precisions_cholesky_ = np.linalg.cholesky(np.linalg.inv(within))
    model.converged_ = True
    assert grouped_density(x, group, other) == pytest.approx(model.score(other), abs=1e-8)
    assert grouped_density(x, group, other) > single_density(x, other)


def test_rows_of_no_group_are_one_gaussian():
    x, group = blobs(4.0)
    nobody = np.full(len(x), -1)
    assert grouped_density(x, nobody, x) == single_density(x, x)
    half = np.where(np.arange(len(x)) % 2, group, -1)
    assert single_density(x, x) < grouped_density(x, half, x) < grouped_density(x, group, x)
    least = LEAST_VARIANCE * np.eye(3)
    centres = np.array([x[half == i].mean(axis=0) for i in range(3)])
    rest = (x - centres[half])[half >= 0]
    laws = [(np.mean(half == i), centres[i], rest.T @ rest / len(rest)) for i in range(3)]
    laws.append((0.5, x.mean(axis=0), np.cov(x.T, bias=True)))
    density = sum(w * multivariate_normal(m, c + least).pdf(x) for w, m, c in laws)
    assert grouped_density(x, half, x) == pytest.approx(np.log(density).mean(), abs=1e-10)


def test_the_number_of_clear_groups_has_the_lowest_bic_and_is_what_is_crowded():
    x, group = blobs(9.0)
    assert best_mixture(x, (2, 3, 4), rng=np.random.default_rng(1)).n_components == 3
    found = crowds(x, 0.05)
    assert found.k == 3
    told = found.labels >= 0
    assert told.mean() > 0.8
    assert len(set(zip(found.labels[told], group[told], strict=True))) == 3
    assert found.assign(x).tolist() == found.labels.tolist()  # every row is nearest to itself


def test_clear_groups_have_the_largest_silhouette():
    x, group = blobs(9.0)
    best = best_partition(x, (2, 3, 4, 5), rng=np.random.default_rng(1))
    assert best.k == 3
    assert len(set(zip(best.assign(x), group, strict=True))) == 3


def test_one_cloud_has_one_component_and_no_crowds():
    cloud = np.random.default_rng(3).standard_normal((900, 3))
    assert best_mixture(cloud, (2, 3), rng=np.random.default_rng(1)).n_components == 1
    assert crowds(cloud, 0.05).k == 0


def test_a_mixture_depends_on_its_generator_alone():
    x, _ = blobs(2.0)
    one, other = (mixture(x, 3, rng=np.random.default_rng(4)).means_ for _ in range(2))
    assert one.tolist() == other.tolist()


def test_of_two_simple_models_the_one_that_fits_better_predicts():
    rng = np.random.default_rng(5)
    x = rng.standard_normal((800, 4)) * [3.0, 1.0, 0.5, 0.3]
    flat, bent = x[:, :1] + 2 * x[:, 1:2], (x[:, :1] / 3) ** 2
    noise = 0.1 * rng.standard_normal((800, 1))
    taught, judged = x[:400], x[400:]
    line = simple_predictions(taught, (flat + noise)[:400], judged, 2)
    expected = least_squares(components(taught, 2), (flat + noise)[:400], components(taught, 2, judged))
    assert line == pytest.approx(expected)
    curve = simple_predictions(taught, (bent + noise)[:400], judged, 3)
    # three columns of a spline against three straight components, of which none bends
    straight = least_squares(components(taught, 3), (bent + noise)[:400], components(taught, 3, judged))
    errors = [((guess - bent[400:]) ** 2).mean() for guess in (curve, straight)]
    assert errors[0] < 0.3 * errors[1]


def test_one_degree_of_freedom_is_one_line():
    rng = np.random.default_rng(6)
    x, y = rng.standard_normal((200, 3)), rng.standard_normal((200, 2))
    line = least_squares(components(x, 1), y, components(x, 1))
    assert simple_predictions(x, y, x, 1) == pytest.approx(line)
