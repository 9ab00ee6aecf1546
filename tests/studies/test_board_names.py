"""A scheme's name alone says what members were given."""

import pandas as pd
import pytest

from sojourn.studies.board.names import called


@pytest.mark.parametrize(
    ("trial", "scheme", "control", "several", "name"),
    [
        ("holdout push", "messages", "held_out", True, "push messages"),
        ("hold-out messaging_app", "messages", "held_out", False, "messaging app messages"),
        ("holdout", "messages", "held_out", False, "messages"),
        ("cadence", "heavy", "normal", False, "heavy (cadence)"),
        ("main", "welcome_coupon", "none", False, "welcome coupon"),
        ("main", "gift", "control", True, "gift (main)"),
    ],
)
def test_a_scheme_is_named_by_what_members_were_given(trial, scheme, control, several, name):
    of = pd.Series({"trial": trial, "scheme": scheme, "control": control})
    assert called(of, several=several) == name
