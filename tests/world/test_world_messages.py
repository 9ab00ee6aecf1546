"""The programme of messages against its parameters: how many, how, to whom, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sojourn.world.catalogue import world_parameters
from sojourn.world.clock import DAY
from sojourn.world.members.course import SILENT
from sojourn.world.tables.messages import CAMPAIGNS

PROGRAMME, CARE = range(len(CAMPAIGNS))


def without_opting_out():
    """A demo in which nobody opts out, pauses or is held out: numbers of messages are plain Poisson."""
    made = world_parameters()
    media = tuple(replace(medium, opt_out=0.0) for medium in made.contact.media)
    return replace(
        made,
        contact=replace(made.contact, media=media, held_out=0.0),
        spells=replace(made.spells, pause_rate=0.0),
    )


@pytest.fixture(scope="module")
def calm(draw):
    return draw(1, seed=4, parameters=without_opting_out())


def test_the_number_of_messages_a_week_is_poisson_with_the_mean_of_the_cadence(calm, ruler):
    programme = calm.blocks[0].programme
    days = calm.blocks[0].hazard.shape[1]
    weeks = days // 7
    number = np.zeros((len(calm), weeks + 1), dtype=int)
    np.add.at(number, (programme.member, programme.day // 7), 1)
    # whole weeks after the programme has begun
    late = np.arange(weeks) * 7 >= programme.begins[:, None]
    for code, (name, share, weekly) in enumerate(calm.frame.parameters.contact.cadence):
        theirs = programme.cadence == code
        assert ruler.share(theirs, share), name
        found = number[theirs][:, :weeks][late[theirs]]
        assert ruler.mean(found, weekly), name
        assert ruler.mean((found - weekly) ** 2, weekly), name
    assert ruler.shares(programme.day[programme.day >= 63] % 7, [1 / 7] * 7)


def test_channels_have_their_shares_and_members_held_out_of_one_get_the_others_instead(drawn, calm, ruler):
    media = calm.frame.parameters.contact.media
    assert ruler.shares(calm.blocks[0].programme.medium, [medium.share for medium in media])
    for block in drawn.blocks[:4]:
        programme = block.programme
        only_push = programme.held_out[programme.member, 0] & ~programme.held_out[programme.member, 1:].any(1)
        # before anyone may have opted out: the first three weeks
        rows = only_push & (programme.day < 21)
        assert ruler.shares(programme.medium[rows] - 1, np.array([0.30, 0.10, 0.15]) / 0.55)


def test_one_in_ten_is_held_out_of_each_channel_independently(drawn, ruler):
    held_out = drawn.each(lambda b: b.programme.held_out)
    for one in range(4):
        assert ruler.share(held_out[:, one], 0.1)
        for other in range(one):
            assert ruler.share(held_out[:, one] & held_out[:, other], 0.01)
        assert ruler.share(held_out[drawn.people.segment == 4, one], 0.1)


def test_the_programme_begins_with_joining_or_with_observation(drawn):
    begins = drawn.each(lambda b: b.programme.begins)
    at = drawn.people.joined + begins * DAY
    early = drawn.people.joined < drawn.frame.start
    assert np.all(begins[~early] == 0)
    assert np.all((at >= drawn.frame.start) & (at < drawn.frame.start + DAY) | ~early)


def test_each_message_makes_members_opt_out_with_the_stated_chance(draw, ruler):
    """At a threshold of no message at all every week is one too many: the chance is that of tired members."""
    made = world_parameters(effects=0)
    for above, factor in ((1_000, 1.0), (0, 3.0)):
        contact = replace(made.contact, tires_above=above, tired_opt_out=3.0, tires=0.0)
        drawn = draw(1, seed=5, parameters=replace(made, contact=contact))
        programme = drawn.blocks[0].programme
        for code, medium in enumerate(contact.media):
            theirs = programme.medium == code
            # who opts out gets no more messages: those sent are those at risk
            chance = np.full(theirs.sum(), medium.opt_out * factor)
            assert ruler.share(programme.opts_out[theirs], chance), (medium.name, above)


def test_members_whose_reward_annoys_opt_out_more(draw, ruler):
    """The chance is multiplied by the scheme's factor while its reward runs, and by nothing else."""
    made = world_parameters(effects=1.0)
    schemes = tuple(replace(s, opt_out=8.0) for s in made.trials[0].schemes)
    trial = replace(made.trials[0], schemes=schemes)
    contact = replace(made.contact, tired_opt_out=1.0)
    drawn = draw(1, seed=5, parameters=replace(made, trials=(trial, *made.trials[1:]), contact=contact))
    block, medium = drawn.blocks[0], np.array([m.opt_out for m in contact.media])
    programme, enrolment = block.programme, block.enrolments[0]
    since = programme.day - enrolment.day[programme.member]
    rewarded = enrolment.entitled[programme.member] & (since >= 0) & (since < trial.reward_days)
    for rows, factor in ((rewarded, 8.0), (~rewarded, 1.0)):
        assert ruler.share(programme.opts_out[rows], factor * medium[programme.medium[rows]])
    assert rewarded.sum() > 10_000


def test_nothing_is_sent_after_opting_out_by_any_campaign(drawn):
    messages = drawn.messages
    until = np.full((len(drawn), 4), np.inf)
    np.minimum.at(until, (messages.member, messages.medium), messages.opted_out)
    assert np.isfinite(until).sum() > 5_000
    assert np.all(messages.sent <= until[messages.member, messages.medium])
    assert np.isfinite(messages.opted_out).sum() == np.isfinite(until).sum()


def test_nothing_is_sent_to_the_held_out_by_any_campaign(drawn):
    held_out = drawn.each(lambda b: b.programme.held_out)
    assert not held_out[drawn.messages.member, drawn.messages.medium].any()


def test_nothing_is_sent_to_members_who_pause_or_are_gone_or_were_not_observed(drawn):
    messages, people = drawn.messages, drawn.people
    paused = drawn.each(lambda b: b.course.paused)
    day = (messages.sent - people.joined[messages.member]) // DAY
    assert not paused[messages.member, day].any()
    assert np.all(messages.sent < drawn.lives.left[messages.member])
    assert np.all((messages.sent >= drawn.frame.start) & (messages.sent < drawn.frame.as_of))
    assert np.all(messages.sent >= people.joined[messages.member])


def test_the_targeted_campaign_goes_to_silent_members_by_its_channel_half_of_the_weeks(drawn, ruler):
    found, possible = 0, 0
    for block in drawn.blocks[:5]:
        programme, course = block.programme, block.course
        week = np.arange(0, course.stage.shape[1], 7)
        silent = course.stage[:, week] == SILENT
        open_to = ~programme.held_out[:, 1, None] & (week < np.minimum(programme.until[:, 1], 10**6)[:, None])
        open_to &= (week >= programme.begins[:, None]) & ~course.paused[:, week]
        possible += (silent & open_to).sum()
        found += len(programme.care_member)
        assert np.all(course.stage[programme.care_member, programme.care_day] == SILENT)
    assert ruler.share(np.arange(possible) < found, 0.5)
    care = drawn.messages.campaign == CARE
    assert np.all(drawn.messages.medium[care] == 1)
    assert care.sum() > 20_000


def test_messages_are_sent_between_nine_and_eight_in_the_evening_of_the_members_region(world):
    members = world.members.set_index("member_id")
    zones = {
        "north": "Europe/Helsinki",
        "south": "Europe/Madrid",
        "east": "Europe/Istanbul",
        "west": "Europe/London",
    }
    for region, theirs in world.messages.groupby(world.messages.member_id.map(members.region)):
        hour = theirs.sent_at.dt.tz_convert(zones[region]).dt.hour
        # in the days of a change of the clock an hour off
        assert ((hour < 9) | (hour > 19)).mean() < 0.003
        assert set(range(9, 20)) <= set(hour)


def test_messages_are_opened_and_clicked_as_stated_more_by_the_satisfied(drawn, ruler):
    messages, contact = drawn.messages, drawn.frame.parameters.contact
    satisfaction = drawn.people.satisfaction[messages.member]
    # who opts out has opened, and messages of the last two days may be opened later
    usual = np.isinf(messages.opted_out) & (messages.sent < drawn.frame.as_of - 2 * DAY)
    opened, clicked = np.isfinite(messages.opened), np.isfinite(messages.clicked)
    for code, medium in enumerate(contact.media):
        rows = usual & (messages.medium == code)
        keen = np.exp(0.2 * satisfaction[rows] - 0.02)
        assert ruler.share(opened[rows], np.minimum(medium.opened * keen, 1.0)), medium.name
        assert ruler.share(clicked[rows & opened], medium.clicked), medium.name
    assert not clicked[~opened].any()
    for low, high in ((-9, -1), (1, 9)):
        rows = usual & (messages.medium == 0) & (satisfaction > low) & (satisfaction < high)
        assert ruler.share(opened[rows], 0.30 * np.exp(0.2 * satisfaction[rows] - 0.02))


def test_opening_comes_after_sending_clicking_and_opting_out_after_opening(drawn, ruler):
    messages = drawn.messages
    opened, clicked, out = (np.isfinite(at) for at in (messages.opened, messages.clicked, messages.opted_out))
    assert np.all(messages.opened[opened] > messages.sent[opened])
    assert np.all(messages.clicked[clicked] > messages.opened[clicked])
    assert np.all(opened[out])
    assert np.all(messages.opted_out[out] > messages.opened[out])
    early = opened & (messages.sent < drawn.frame.as_of - 3 * DAY)
    # an exponential time of two hours in whole seconds, at least one
    assert ruler.mean((messages.opened - messages.sent)[early] - 0.5, 2 * 3600.0)


def test_every_message_costs_what_its_channel_costs(drawn):
    messages, contact = drawn.messages, drawn.frame.parameters.contact
    for code, medium in enumerate(contact.media):
        assert set(messages.mills[messages.medium == code]) == {round(medium.cost * 10_000)}


def test_a_channel_acts_on_hazard_and_sessions_until_the_day_of_opting_out(draw):
    """Against the same world in which channels do nothing: on who is served, until opting out."""
    made = world_parameters()
    contact = replace(made.contact, tires=0.0)
    mute = replace(contact, media=tuple(replace(m, hazard=1.0, sessions=1.0) for m in contact.media))
    acts, still = (draw(1, seed=5, parameters=replace(made, contact=c)).blocks[0] for c in (contact, mute))
    programme, day = acts.programme, np.arange(acts.hazard.shape[1])
    assert np.array_equal(programme.until, still.programme.until)
    for name in ("hazard", "sessions"):
        expected = np.ones_like(acts.hazard)
        for code, medium in enumerate(contact.media):
            served = (day >= programme.begins[:, None]) & (day <= programme.until[:, code, None])
            served &= ~programme.held_out[:, code, None]
            expected *= np.where(served, getattr(medium, name), 1.0)
        base = getattr(still, name)
        found = np.divide(getattr(acts, name), base, out=expected.copy(), where=base > 0)
        assert np.allclose(found, expected, rtol=1e-9), name
    opted = programme.until < 365
    assert not (opted & programme.held_out).any()
    assert 0.02 < opted[:, 0].mean() < 0.5
