"""Grouping from joining on: only by what was known then."""

import pytest

from sojourn.core.errors import ImmortalTimeError, ParameterError
from sojourn.core.joining import known_at_joining


def test_what_there_is_is_allowed():
    assert known_at_joining("plan", ["all", "plan"]) == "plan"


@pytest.mark.parametrize(
    "by", ["churn_reason", "members.churn_reason", "spells.plan", "end_reason", "events.feature"]
)
def test_the_future_is_refused(by):
    with pytest.raises(ImmortalTimeError, match="the time they had to stay to get there"):
        known_at_joining(by, ["all", "plan"])


def test_a_case_may_name_columns_of_its_own_future():
    with pytest.raises(ImmortalTimeError, match="a snapshot"):
        known_at_joining("contract", ["all"], {"contract": "a snapshot"})


def test_known_at_joining_but_not_made():
    with pytest.raises(ParameterError, match=r"Add it to `cells\.groups`"):
        known_at_joining("region", ["all", "plan"])


def test_unknown_with_a_hint():
    with pytest.raises(ParameterError, match="Did you mean 'plan'"):
        known_at_joining("plann", ["all", "plan"])
