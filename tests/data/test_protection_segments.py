"""Private cells of segments: rare categories, kinds and families are put together or left out."""

import numpy as np
import pandas as pd
import pytest

from sojourn.core.cells import Cells
from sojourn.core.measures import Counting, Kind
from sojourn.data.protection.segments import OTHER, protect
from sojourn.studies.segments.features import features

BASE, MEMBERS = 10, 600


def exact(seed=1):
    """Return exact tables of members, and what they say of themselves."""
    draw = np.random.default_rng(seed)
    counts = {
        name: draw.integers(low, 90, MEMBERS)
        for name, low in {
            **dict.fromkeys(("recency_days", "active_last", "active_before", "kinds", "purchases"), 0),
            **dict.fromkeys(("observed_days", "tenure_days", "active_days", "events", "weekend_days"), 1),
            **dict.fromkeys(("kind_1", "kind_2", "kind_3", "social", "sent", "opened"), 1),
            **dict.fromkeys(("active_days_next", "purchases_next", "sent_next", "opened_next"), 0),
        }.items()
    }
    few = np.arange(MEMBERS) < BASE - 1
    left = np.where(np.arange(MEMBERS) % 5 == 0, draw.integers(1, 86, MEMBERS), 0)
    sample = pd.DataFrame(
        {
            **counts,
            "kind_2": np.where(few, 3, 0),
            "referred": np.where(few, 1, 0),
            "active_next": np.arange(MEMBERS) % 2,
            "stayed_next": (left == 0).astype(int),
            "left_after": left,
            "value": draw.integers(0, 9_000, MEMBERS) / 100,
            "value_next": draw.integers(0, 9_000, MEMBERS) / 100,
            "plan": np.where(few, "rare", np.where(np.arange(MEMBERS) % 2, "annual", "monthly")),
            "region": draw.choice(["a", "b", "c", "d"], MEMBERS),
        }
    )
    counting = Counting(30, 60, tuple(map(Kind, "xyz")), ("social", "referral", "messages"), ("share",))
    names = [n for n in sample.select_dtypes("number") if not n.endswith(("_next", "_after"))]
    moments = pd.DataFrame([{"members": 10_007, **{f"{n}_sum": 1.0 for n in names}}])
    meta = {
        "as_of": "2025-07-01T00:00:00Z",
        "kinds": ["x", "y", "z"],
        "families": list(counting.families),
        "counting": counting.to_plain(),
        "params": {"outcome_days": 85},
    }
    return {"sample": sample, "moments": moments}, meta


@pytest.fixture(scope="module")
def shown():
    return protect(*exact(), BASE)


def test_every_value_is_shared_and_every_category_too(shown):
    sample = shown[0]["sample"]
    assert len(sample) % BASE == 0
    assert min(sample[name].value_counts().min() for name in sample) >= BASE


def test_a_category_of_few_members_is_put_together_with_the_next(shown):
    """Nine of a rare plan are fewer than ten, so the smaller of the two others goes with them."""
    plans = shown[0]["sample"]["plan"].value_counts()
    assert len(plans) == 2
    assert OTHER in plans
    assert "rare" not in plans
    assert set(shown[0]["sample"]["region"]) == set("abcd")


def test_kinds_and_families_of_few_members_are_left_out_everywhere(shown):
    tables, meta = shown
    told = Counting.from_plain(meta["counting"])
    assert meta["kinds"] == ["x", "z"]
    assert told.kinds == (Kind("x"), Kind("z"))
    assert told.families == tuple(meta["families"]) == ("social", "messages")
    assert told.social == ("share",)
    for table in tables.values():
        assert not any(name.startswith(("referred", "kind_3")) for name in table)
    assert "kind_2" in tables["sample"]


def test_days_of_leaving_are_told_to_the_month(shown):
    sample = shown[0]["sample"]
    assert set(sample["left_after"]) == {0, 30, 60, 85}  # the last one ends with the period
    assert ((sample["left_after"] > 0) == (sample["stayed_next"] == 0)).mean() > 0.99


def test_features_can_be_made_of_them(shown):
    tables, meta = shown
    seen = features(Cells("case", "segments", tables, meta))
    assert {"social", "messages"} <= set(seen.now)
    assert "referral" not in seen.now
    assert list(seen.traits) == ["plan", "region"]
    assert [one.name for one in seen.measures] == list(seen.now)
