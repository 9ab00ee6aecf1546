"""Names of segments: human words by stated rules, the same for any order and any labels, judging nobody."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sojourn as sj
from sojourn.core.bands import band_names
from sojourn.core.results.segments import NearestCentre
from sojourn.studies.segments.names import (
    NAMES,
    TELLING,
    distinct,
    family_of,
    feature_words,
    kind_words,
    named,
    segment_names,
    word_of,
)
from sojourn.studies.segments.worlds import gaussian, population

FEATURES = ("recency", "frequency", "monetary", "weekend", "view catalogue", "like", "task tasks", "login")

#: Words that say what somebody is worth, and not what he does.
JUDGING = {
    "loyal",
    "lazy",
    "dormant",
    "whale",
    "cheap",
    "poor",
    "rich",
    "good",
    "bad",
    "best",
    "worst",
    "dead",
    "vip",
    "champion",
    "loser",
    "addict",
    "hopeless",
    "cannot",
    "risk",
}


def rng(seed=1):
    return np.random.default_rng(seed)


def means_of(**far: float):
    return np.array([far.get(name.replace(" ", "_"), 0.0) for name in FEATURES])


@pytest.mark.parametrize(
    ("far", "name"),
    [
        (
            {"frequency": 0.6, "view_catalogue": 0.9, "monetary": 0.5},
            "frequent catalogue viewers who spend more",
        ),
        ({"frequency": -2.0, "recency": 1.9}, "occasional members"),  # both say how often: the further one
        ({"recency": 1.9, "monetary": -0.41}, "long unseen members who spend less"),
        ({"weekend": 0.5, "view_catalogue": 0.6}, "weekend catalogue viewers"),
        ({"like": 0.8, "task_tasks": 0.7}, "members keen on likes"),
        ({"like": -0.8, "monetary": 0.5}, "members who spend more"),  # a smaller share tells last
        ({"like": -0.8}, "members less keen on likes"),
        ({"login": 3.0}, "members close to the average"),  # to log in is nothing one is keen on
        ({"monetary": TELLING - 0.01}, "members close to the average"),
    ],
)
def test_what_is_furthest_from_everyone_makes_the_name(far, name):
    assert named(means_of(**far), FEATURES) == name


def test_bands_are_named_after_their_place():
    assert band_names(2) == ("less active half", "more active half")
    assert band_names(3) == ("least active third", "middle third", "most active third")
    assert band_names(5)[2] == "middle fifth"
    assert band_names(7)[6] == "band 7 of 7, from least active"
    for bands in range(2, 12):
        assert len(set(band_names(bands))) == bands
        assert not any(
            word in name for name in band_names(bands) for word in ("second quarter", "third quarter")
        )


centres = st.lists(
    st.lists(st.floats(-3, 3, allow_nan=False), min_size=8, max_size=8), min_size=2, max_size=8
)


@given(centres, st.randoms(use_true_random=False))
def test_names_are_distinct_and_follow_their_segment_when_groups_get_other_numbers(rows, random):
    means = np.array(rows).round(3)
    names = distinct([named(row, FEATURES) for row in means], means, FEATURES)
    assert len(set(names)) == len(names)
    order = list(range(len(means)))
    random.shuffle(order)
    turned = means[order]
    again = distinct([named(row, FEATURES) for row in turned], turned, FEATURES)
    if len(np.unique(means, axis=0)) == len(means) and _told_apart(means, names):
        assert again == tuple(names[i] for i in order)


def _told_apart(means, names):
    """Whether no two segments that share a name are equal in the feature that tells them apart."""
    return all(len(set(means[:, j])) == len(means) for j in range(means.shape[1]))


@given(centres)
def test_no_name_judges_anybody(rows):
    means = np.array(rows)
    for name in distinct([named(row, FEATURES) for row in means], means, FEATURES):
        assert not set(name.lower().replace(",", "").split()) & JUDGING


def test_no_word_of_any_feature_judges():
    said = " ".join(
        f"{word.less} {word.more}" for word in [*NAMES.values(), word_of("like"), word_of("read")]
    )
    assert not set(said.split()) & JUDGING


def test_names_follow_members_and_not_rows_or_labels():
    centres = np.zeros((3, 6))
    centres[0, :2], centres[1, 2], centres[2, 2] = (-3.0, 2.0), 3.0, 5.0
    group = np.repeat([0, 1, 2], 400)
    x = centres[group] + 0.1 * rng(15).standard_normal((1_200, 6))
    world = replace(gaussian(1_200, rng=rng(15)), x=x)
    names = segment_names(world, NearestCentre(np.eye(6), centres))
    assert names == (
        "recently seen members",
        "members who spend more (1 of 2 by spend a month)",
        "members who spend more (2 of 2 by spend a month)",
    )
    order = rng(16).permutation(1_200)
    turned = replace(world, x=x[order], fit=world.fit[order])
    assert segment_names(turned, NearestCentre(np.eye(6), centres[[2, 0, 1]])) == (
        names[2],
        names[0],
        names[1],
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("view catalogue", "catalogue views"),
        ("view offers", "offer views"),
        ("view news", "news views"),
        ("task tasks", "tasks"),
        ("search", "searches"),
        ("search search", "searches"),
        ("purchase", "purchases"),
    ],
)
def test_kinds_of_events_are_named_in_words(kind, words):
    assert kind_words(kind) == words


def test_every_feature_has_words_and_a_family():
    assert feature_words("monetary") == "spend a month"
    assert feature_words("view offers") == "offer views (share)"
    assert family_of("evening") == "when"
    assert family_of("view offers") == "what they do"


def test_a_kind_of_events_called_like_a_feature_is_another_feature():
    cells = population(400, zeros=0.3, rng=rng(21))
    called = ["referral", "trend", *cells.meta["kinds"][2:]]
    plain, told = (
        sj.features(replace(cells, meta={**cells.meta, "kinds": k})) for k in (cells.meta["kinds"], called)
    )
    assert set(told.names) - set(plain.names) == {"event referral", "event trend"}
    assert "trend" in told.names
    assert not told.now.columns.has_duplicates
    pd.testing.assert_frame_equal(told.now.set_axis(plain.now.columns, axis=1), plain.now, check_exact=True)
    assert feature_words("event referral") == "referral events (share)"
