"""Who joins, against the parameters: days, shares, hidden properties, and who brought whom.

Members who joined before observation are left out where not said otherwise: they are selected by staying.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from scipy import stats

from sojourn.world.catalogue import world_parameters
from sojourn.world.clock import DAY
from sojourn.world.members.people import OWN, draw_own
from sojourn.world.parameters import AGE_BANDS, Gradient


@pytest.fixture(scope="module")
def after(drawn) -> np.ndarray:
    """Return who joined while the platform was observed."""
    return drawn.people.joined >= drawn.frame.start


@pytest.fixture(scope="module")
def age(drawn) -> np.ndarray:
    """Return ages at joining, -1 where not stated, from the calendar and not from the package's own years."""
    people = drawn.people
    year = people.joined.astype("datetime64[s]").astype("datetime64[Y]").astype(int) + 1970
    return np.where(people.birth_year > 0, year - people.birth_year, -1)


def weights_by_hand(frame) -> np.ndarray:
    """Return the relative number of joiners on each day of observation, one day after the other."""
    joining, found = frame.parameters.joining, []
    for day in range(frame.days):
        date = datetime.fromtimestamp(frame.start + day * DAY, UTC)
        weight = 1.5 ** (day / 365.25)
        weight *= 1 + 0.25 * np.cos(2 * np.pi * (date.timetuple().tm_yday - 15) / 365.25)
        ago = frame.days - day
        for burst in joining.bursts:
            weight *= burst.factor if burst.ago - burst.days < ago <= burst.ago else 1.0
        found.append(weight)
    return np.array(found)


def test_members_join_by_day_with_growth_season_and_bursts(drawn, after, ruler):
    weights = weights_by_hand(drawn.frame)
    expected = weights / weights.sum() * after.sum()
    found = np.bincount((drawn.people.joined[after] - drawn.frame.start) // DAY, minlength=len(weights))
    assert len(found) == len(weights) == 548
    distance = ((found - expected) ** 2 / expected).sum()
    # about 100 joiners a day: a chi-square of 547 degrees of freedom has standard deviation 33
    assert abs(distance - 547) < 4 * np.sqrt(2 * 547)
    for ago, days in ((420, 10), (160, 7)):
        first = 548 - ago
        assert ruler.count(found[first : first + days].sum(), expected[first : first + days].sum())
        assert found[first : first + days].mean() > 1.5 * found[first - days : first].mean()


def test_members_join_at_the_hours_of_their_own_region(drawn, ruler):
    people, regions = drawn.people, drawn.frame.parameters.joining.regions
    weights = np.array(drawn.frame.parameters.activity.hours)
    for code, region in enumerate(regions):
        zone = ZoneInfo(region.time_zone)
        at = people.joined[people.region == code]
        hour = np.array([datetime.fromtimestamp(int(t), zone).hour for t in at])
        assert ruler.shares(hour, weights / weights.sum()), region.name


def test_what_members_state_has_the_stated_shares(drawn, after, ruler):
    made, people = drawn.frame.parameters, drawn.people
    assert ruler.shares(people.channel[after], [c.share for c in made.channels])
    assert ruler.shares(people.plan[after], [p.share for p in made.plans])
    assert ruler.shares(people.gender, [share for _, share in made.joining.genders])
    assert ruler.shares(people.region, [region.share for region in made.joining.regions])
    assert ruler.shares(people.consent, made.joining.consent)
    assert ruler.share(people.birth_year < 0, made.joining.birth_year_missing)


def test_more_women_than_men_and_more_than_seven_in_ten_18_to_35(drawn, after, age, ruler):
    assert (drawn.people.gender == 0).mean() > (drawn.people.gender == 1).mean() + 0.05
    known = after & (age >= 0)
    assert ruler.share((age[known] >= 18) & (age[known] <= 35), 0.76)
    assert (age[known] <= 35).mean() > 0.70
    assert (age[known].min(), age[known].max()) == (18, 75)


def test_age_bands_follow_the_year_of_birth(drawn, age):
    band = drawn.people.age_band
    edges = [(18, 24), (25, 34), (35, 44), (45, 54), (55, 120)]
    for code, (lowest, highest) in enumerate(edges):
        assert np.array_equal(band == code, (age >= lowest) & (age <= highest))
    assert np.all((band == AGE_BANDS.index("unknown")) == (age < 0))


@pytest.mark.parametrize("channel", range(5))
def test_segments_are_tilted_by_channel_and_by_being_under_thirty(drawn, after, age, ruler, channel):
    made, people = drawn.frame.parameters, drawn.people
    for young in (True, False):
        odds = [
            s.share * np.exp(made.channel_tilt[channel][i] + made.young_tilt[i] * young)
            for i, s in enumerate(made.segments)
        ]
        chosen = after & (people.channel == channel) & (age >= 0) & ((age < 30) == young)
        assert ruler.shares(people.segment[chosen], np.array(odds) / sum(odds)), young


def test_members_differ_by_a_factor_of_their_own(drawn, ruler):
    own = drawn.people.own
    assert ruler.mean(own[:, 0], 1.0)
    assert ruler.mean((own[:, 0] - 1) ** 2, 1 / 4.0)
    assert stats.kstest(own[:, 0], stats.gamma(4.0, scale=1 / 4.0).cdf).pvalue > 1e-4
    assert np.all(own[:, 1:] == 1.0)


def test_speed_is_independent_and_satisfaction_follows_it(drawn, after, ruler):
    people = drawn.people
    for found in (people.slow[after], people.satisfaction[after]):
        assert stats.kstest(found, "norm").pvalue > 1e-4
    assert ruler.mean(people.slow[after] * people.satisfaction[after], -0.6)
    for code in range(5):
        assert ruler.mean(people.slow[after & (people.segment == code)], 0.0)


def test_the_value_moment_comes_to_the_share_and_after_the_mean_time_of_each_segment(drawn, after, ruler):
    people = drawn.people
    for code, segment in enumerate(drawn.frame.parameters.segments):
        theirs = after & (people.segment == code)
        assert ruler.share(people.takes_off[theirs], segment.takes_off), segment.name
        delay = people.value_day[theirs & people.takes_off]
        assert ruler.mean(delay, segment.value_days), segment.name
        # gamma of shape 2: the square of its mean over 2
        assert ruler.mean((delay - segment.value_days) ** 2, segment.value_days**2 / 2), segment.name
    assert np.array_equal(np.isfinite(people.value_day), people.takes_off)


def test_who_is_brought_joined_by_referral_up_to_120_days_after_who_brought_them(drawn):
    people = drawn.people
    referral = [c.name for c in drawn.frame.parameters.channels].index("referral")
    for block in drawn.blocks[:5]:
        joined, brought = block.people.joined, block.referrer >= 0
        gap = (joined - joined[np.maximum(block.referrer, 0)])[brought] / DAY
        assert gap.min() > 0
        assert gap.max() <= 120
        assert np.all(block.people.channel[brought] == referral)
        alone = (block.people.channel == referral) & ~brought
        # alone is only who came when nobody had joined in the 120 days before: the very first
        assert alone.sum() <= 2
    assert (people.channel == referral).sum() > 8_000


def test_who_brings_members_is_anyone_who_joined_in_that_time(drawn, ruler):
    """The place of the referrer among those who joined in the 120 days before is uniform."""
    places = []
    for block in drawn.blocks:
        joined = np.sort(block.people.joined)
        brought = np.flatnonzero(block.referrer >= 0)
        by = block.people.joined[block.referrer[brought]]
        first = np.searchsorted(joined, block.people.joined[brought] - 120 * DAY)
        end = np.searchsorted(joined, block.people.joined[brought])
        places.append((np.searchsorted(joined, by) - first + 0.5) / (end - first))
    place = np.concatenate(places)
    assert stats.kstest(place, "uniform").pvalue > 1e-4


def test_whether_a_member_brings_others_does_not_depend_on_leaving(drawn, ruler):
    """Members who leave in their first month bring as many as those who stay: invitations go on working."""
    brings, long_ago, gone = [], [], []
    for block in drawn.blocks:
        known = block.referrer[block.referrer >= 0]
        brings.append(np.bincount(known, minlength=len(block)))
        long_ago.append(block.people.joined < drawn.frame.as_of - 130 * DAY)
        gone.append(block.lives.left - block.people.joined < 30 * DAY)
    number, there, early = (np.concatenate(part) for part in (brings, long_ago, gone))
    there &= drawn.people.joined >= drawn.frame.start + 30 * DAY
    left, stayed = number[there & early], number[there & ~early]
    error = np.sqrt(left.var() / len(left) + stayed.var() / len(stayed))
    assert abs(left.mean() - stayed.mean()) < ruler.sigmas * error
    assert left.mean() > 0.1


@pytest.mark.parametrize(
    ("gradient", "moment"),
    [
        (Gradient("heavy", spread=1.2), 1.2),
        (Gradient("gaussian", spread=0.6, correlation=0.8), 0.6),
    ],
)
def test_log_normal_factors_have_mean_one_and_the_stated_spread(gradient, moment, ruler):
    own = draw_own(gradient, 200_000, np.random.default_rng(3))
    logs = np.log(own)
    assert ruler.mean(logs[:, 0], -(moment**2) / 2)
    assert ruler.mean((logs[:, 0] + moment**2 / 2) ** 2, moment**2)
    if gradient.kind == "gaussian":
        standard = (logs + moment**2 / 2) / moment
        for one in range(5):
            for other in range(one):
                assert ruler.mean(standard[:, one] * standard[:, other], 0.8), (one, other)
    else:
        assert np.all(own[:, 1:] == 1.0)


def test_the_bent_line_is_a_line_and_bent():
    logs = np.log(draw_own(Gradient("curved", spread=0.6), 20_000, np.random.default_rng(3)))
    u = logs[:, 0] / 1.8
    # u^2 has variance 4/45, of which a straight line leaves 1/180; noise of a tenth adds 0.01 to both
    straight = np.polyfit(u, logs[:, 1] / 1.8, 1)
    bent = np.polyfit(u, logs[:, 1] / 1.8, 2)
    rest = [np.var(logs[:, 1] / 1.8 - np.polyval(fit, u)) for fit in (straight, bent)]
    assert rest[1] < 0.9 * rest[0]
    assert np.corrcoef(logs[:, 0], logs[:, 2])[0, 1] < -0.8
    assert len(OWN) == logs.shape[1]


def test_every_world_says_who_joins_in_whole_shares():
    made = world_parameters()
    joining = made.joining
    rows = [
        [c.share for c in made.channels],
        [p.share for p in made.plans],
        [s.share for s in made.segments],
        [share for _, share in joining.genders],
        [region.share for region in joining.regions],
        [share for *_, share in joining.ages],
        [medium.share for medium in made.contact.media],
        [share for _, share, _ in made.contact.cadence],
        joining.consent,
        *(s.taste for s in made.segments),
        *(s.reasons for s in made.segments),
        *made.stages.follows[:2],
    ]
    assert all(sum(row) == pytest.approx(1, abs=1e-12) for row in rows)
    assert np.mean(made.activity.weekdays) == pytest.approx(1, abs=1e-12)
