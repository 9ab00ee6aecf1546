"""Features: measures of counts, which shares form groups, and planted groups of rhythm that are found."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sojourn.core.measures import Counting
from sojourn.data.features import FAMILIES, columns_of
from sojourn.studies.segments.features import features
from sojourn.studies.segments.forming import PRIOR_EVENTS, RELIABLE, angle, forming, reliability
from sojourn.studies.segments.measures import measures_of
from sojourn.studies.segments.names import HOURS
from sojourn.studies.segments.worlds import population

EVERYBODY = np.ones(4_000, dtype=bool)


def rng(seed):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def shop():
    return population(1_200, zeros=0.0, rng=rng(1))


def with_columns(cells, **columns):
    return replace(cells, tables={**cells.tables, "sample": cells.tables["sample"].assign(**columns)})


def test_what_is_told_is_made_of_counts_by_the_measures(shop):
    seen = features(shop)
    assert tuple(one.name for one in seen.measures) == tuple(seen.now.columns)
    assert seen.now.columns[:3].tolist() == ["recency", "frequency", "monetary"]
    for one in seen.measures:
        assert (one.of(seen.counts) == seen.now[one.name]).all()
    assert len(seen.counts) == len(seen.x) == len(seen.traits)
    assert not any(name.endswith(("_next", "_after")) for name in seen.counts)
    by_hand = seen.counts["opened"] / seen.counts["sent"].clip(lower=1)
    assert seen.now["messages"].to_numpy() == pytest.approx(by_hand.to_numpy())


def test_every_column_of_every_family_is_told():
    counting = Counting(30, 60, (), tuple(FAMILIES))
    read = {name for one in measures_of(counting, []) for name in (*one.plus, *one.minus, one.over)}
    assert set(columns_of(tuple(FAMILIES))) <= read
    words = [one.words for one in measures_of(counting, [])]
    assert len(set(words)) == len(words)
    assert {one.name for one in measures_of(Counting(30, 60), [])} == {
        *("recency", "frequency", "monetary", "intensity", "trend", "breadth", "tenure", "weekend"),
    }


def test_traits_that_are_not_stated_are_missing(shop):
    plans = np.where(np.arange(1_200) % 3 == 0, "not stated", "annual")
    seen = features(with_columns(shop, plan=plans, age_band="unknown"))
    assert seen.traits["plan"].value_counts().to_dict() == {"annual": 800}
    assert seen.traits["age_band"].isna().all()
    assert list(features(shop).traits.columns) == []


def test_the_part_of_chance_is_known_where_everybody_is_alike():
    """With one share for all, all variance is chance; 4,000 members know it to 4 sqrt(2 / 4000) = 9 %."""
    n = pd.Series(rng(2).integers(5, 200, 4_000))
    alike = pd.Series(rng(3).binomial(n, 0.4))
    assert abs(reliability(angle(alike, n, EVERYBODY), n, n, EVERYBODY)) < 0.09
    visits = pd.Series(np.ceil(n / 5).astype(int))
    clumped = 5 * pd.Series(rng(4).binomial(visits, 0.4))
    by_visit = reliability(angle(clumped, 5 * visits, EVERYBODY), 5 * visits, visits, EVERYBODY)
    assert abs(by_visit) < 0.15  # of few visits the angle is no longer linear
    assert reliability(angle(clumped, 5 * visits, EVERYBODY), 5 * visits, 5 * visits, EVERYBODY) > 0.6


def test_shares_that_differ_are_reliable():
    n = pd.Series(np.full(4_000, 100))
    p = rng(5).beta(4, 4, 4_000)
    known = reliability(angle(pd.Series(rng(6).binomial(n, p)), n, EVERYBODY), n, n, EVERYBODY)
    truth = np.arcsin(np.sqrt((100 * p + PRIOR_EVENTS / 2) / (100 + PRIOR_EVENTS))).var()
    noise = (100 / 110) ** 2 / 400
    assert known == pytest.approx(truth / (truth + noise), abs=0.02)
    assert known > RELIABLE


def test_a_rhythm_of_mostly_chance_forms_nothing_but_is_told(shop):
    """Members differ a little in when they come; three events of a visit fall into one part of the day."""
    days = shop.tables["sample"]["active_days"].to_numpy()
    visits = rng(2).multinomial(days, rng(3).dirichlet([4.0, 12.0, 12.0, 12.0], len(days)))
    columns = dict(zip(HOURS, 3 * visits.T, strict=True))
    seen = features(with_columns(shop, events=3 * days, **columns))
    assert not set(HOURS) & {*seen.names, *seen.left_out}
    assert set(HOURS) < set(seen.now.columns)
    of, part = pd.Series(3 * days), pd.Series(columns["evening"])
    share = angle(part, of, np.ones(len(days), dtype=bool))
    assert 0.1 < reliability(share, of, pd.Series(days), np.ones(len(days), dtype=bool)) < RELIABLE


def test_a_rhythm_in_which_members_differ_may_form_groups():
    """Night owls, office hours, evenings: a fifth of their events at any other time, else alike."""
    cells = population(2_000, zeros=0.0, rng=rng(7))
    sample = cells.tables["sample"]
    group = rng(8).integers(3, size=2_000)
    shares = np.array([[0.8, 0.05, 0.05, 0.1], [0.05, 0.45, 0.45, 0.05], [0.1, 0.05, 0.05, 0.8]])
    days = sample["active_days"].to_numpy().clip(20)
    parts = np.array(
        [rng([9, i]).multinomial(3 * n, shares[g]) for i, (n, g) in enumerate(zip(days, group, strict=True))]
    )
    seen = features(
        with_columns(cells, events=3 * days, active_days=days, **dict(zip(HOURS, parts.T, strict=True)))
    )
    assert set(HOURS) <= set(seen.names)


def test_clicks_are_a_share_of_messages_opened():
    # who opens none has no clicks either: that must not show twice
    cells = population(2_000, zeros=0.0, rng=rng(26))
    sample = cells.tables["sample"]
    never = rng(27).random(len(sample)) < 0.2
    opened = np.where(never, 0, sample["opened"])
    clicked = rng(28).binomial(opened, rng(29).beta(0.5, 0.5, len(sample)))
    columns = {**sample.assign(opened=opened, clicked=clicked)}
    counting = features(cells).counting
    made = forming(pd.DataFrame(columns), counting, ("a", "b", "c"), np.ones(len(sample), dtype=bool))
    # who opened nothing has the share of everyone: ten openings of the average member, none of one's own
    average = clicked.sum() / opened.sum()
    assert made["clicks"][never] == pytest.approx(np.arcsin(np.sqrt(average)))
