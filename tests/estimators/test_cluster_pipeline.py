"""A rule as a pipeline of scikit-learn: the same segments, and at home among its tools."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from sklearn.base import clone, is_classifier
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from sojourn.core.errors import ParameterError
from sojourn.estimators.cluster.pipeline import pipeline_of
from take_away_rules import NAMES, any_counts, counts, rules, small_card, small_tree


@settings(max_examples=50)
@given(rule=rules(), members=any_counts())
def test_the_pipeline_gives_every_row_the_segment_that_the_rule_gives(rule, members):
    assert list(pipeline_of(rule).predict(members)) == list(rule.named(members))


@pytest.mark.parametrize("make", [lambda p: pickle.loads(pickle.dumps(p)), clone], ids=["pickled", "cloned"])
@pytest.mark.parametrize("rule", [small_tree(), small_card()], ids=["tree", "card"])
def test_copies_say_the_same(make, rule):
    members = counts(active_days=[0, 5, 16, 90, None], recency_days=[90, 30, 3, 0, 1])
    pipeline = pipeline_of(rule)
    assert (
        list(make(pipeline).predict(members)) == list(pipeline.predict(members)) == list(rule.named(members))
    )


def test_it_is_a_classifier_that_needs_no_fit():
    pipeline, members = pipeline_of(small_tree()), counts(active_days=[16, 5])
    check_is_fitted(pipeline)
    assert is_classifier(pipeline)
    assert list(pipeline.classes_) == list(NAMES)
    assert list(pipeline.fit(members).predict(members)) == [NAMES[0], NAMES[1]]
    assert pipeline.score(members, [NAMES[0], NAMES[2]]) == accuracy_score([1, 0], [1, 1])


def test_its_parameters_are_the_rule():
    pipeline = pipeline_of(small_tree())
    assert pipeline.get_params()["segments__rule"] == small_tree()
    changed = pipeline.set_params(measures__rule=small_card(), segments__rule=small_card())
    members = counts(active_days=[16])
    assert list(changed.predict(members)) == list(small_card().named(members))
    assert "Segments" in repr(pipeline)


def test_the_first_step_names_what_it_measures():
    first = pipeline_of(small_tree()).named_steps["measures"]
    assert list(first.get_feature_names_out()[:2]) == ["frequency", "recency"]
    measured = first.transform(counts(active_days=[16], observed_days=[29]))
    assert np.isnan(measured).all()  # observed for too short a time


def test_a_missing_column_is_named():
    with pytest.raises(ParameterError, match="no column 'active_days'"):
        pipeline_of(small_tree()).predict(counts(active_days=[1]).drop(columns="active_days"))
