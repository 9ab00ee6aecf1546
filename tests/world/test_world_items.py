"""Items against the parameters: what is on offer, and what members turn to."""

from __future__ import annotations

import numpy as np
from scipy import stats

from sojourn.world.clock import DAY
from sojourn.world.parameters import EVENTS
from sojourn.world.tables.items import catalogue


def test_no_item_before_its_publication(drawn):
    items, events = catalogue(drawn.frame), drawn.events
    turned = events.item >= 0
    assert np.all(items.published[events.item[turned]] <= events.at[turned])
    kinds = {EVENTS[code] for code in np.unique(events.event[turned])}
    assert kinds == {"view", "like", "comment", "share", "purchase"}


def test_half_of_the_items_are_there_from_the_start_and_few_creators_make_most(drawn):
    items, frame = catalogue(drawn.frame), drawn.frame
    first = frame.start - 60 * DAY
    assert (items.published == first).sum() == 1_000
    assert np.all(np.diff(items.published) >= 0)
    assert items.published.max() < frame.as_of
    made = np.sort(np.bincount(items.creator, minlength=150))[::-1]
    # the square of a uniform number: a quarter of the creators make half of the items
    assert abs(made[:38].sum() / 2_000 - 0.5) < 0.06


def test_the_weight_of_an_item_is_popularity_quality_and_taste(drawn):
    items, offers = catalogue(drawn.frame), drawn.frame.parameters.offers
    weights = np.diff(items.edges, axis=1, prepend=0.0)
    tastes = np.array(offers.tastes)
    tastes = tastes / tastes.sum(axis=1, keepdims=True)
    for code in range(5):
        popular = weights[code] / tastes[code, items.category] / np.exp(0.4 * items.quality)
        expected = np.arange(1, 2_001) ** -0.8
        assert np.allclose(np.sort(popular)[::-1], expected, rtol=1e-6), code
    popular = weights[0] / tastes[0, items.category] / np.exp(0.4 * items.quality)
    # the rank says nothing of quality, category or age
    for other in (items.quality, items.published, items.cents):
        assert abs(stats.spearmanr(popular, other).statistic) < 4 / np.sqrt(2_000)
    assert stats.kstest(items.quality, "norm").pvalue > 1e-4


def test_members_turn_to_items_by_their_weights(drawn, ruler):
    """Among those from the start the shares do not change: by category, and the most popular one by one."""
    items, events = catalogue(drawn.frame), drawn.events
    old = items.published == items.published[0]
    weights = np.diff(items.edges, axis=1, prepend=0.0) * old
    views = events.of("view")
    views = views[old[events.item[views]]]
    segment, item = drawn.people.segment[events.member[views]], events.item[views]
    for code in range(5):
        share = weights[code] / weights[code].sum()
        theirs = item[segment == code]
        by_category = np.bincount(items.category, weights=share, minlength=6)
        assert ruler.shares(items.category[theirs], by_category), code
        for best in np.argsort(-share)[:20]:
            assert ruler.share(theirs == best, share[best])


def test_new_items_get_their_share_as_soon_as_they_are_published(drawn, ruler):
    items, events = catalogue(drawn.frame), drawn.events
    views = events.of("view")
    segment, at, item = drawn.people.segment[events.member[views]], events.at[views], events.item[views]
    new = np.array([(items.published <= t).sum() for t in np.unique(at // DAY) * DAY])
    assert new[0] < new[-1]
    on_offer = np.searchsorted(items.published, at, side="right")
    old = (items.published == items.published[0]).sum()
    for code in range(5):
        edges, rows = items.edges[code], segment == code
        chance = 1 - edges[old - 1] / edges[on_offer[rows] - 1]
        assert ruler.share(item[rows] >= old, chance), code
