"""The time with us in the simulated world: planted lifts are found, also long before all are followed."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from sojourn.studies.trials.lasting import lasting
from sojourn.world import make_world
from trial_worlds import make_trial

AS_OF = pd.Timestamp("2025-07-01", tz="UTC")


@pytest.fixture(scope="module")
def world():
    return make_world(members=8_000, seed=5, as_of=AS_OF.isoformat())


def seen_until(world, as_of):
    """Members of the main trial as they are known at an instant, by month of assignment and plan."""
    assigned = world.tables["assignments"].query("trial == 'main'")
    rows = assigned.merge(world.tables["members"], on="member_id").query("assigned_at < @as_of")
    day = timedelta(days=1)
    life = ((rows["churned_at"] - rows["assigned_at"]) / day).fillna(1e6)
    return pd.DataFrame({
        "scheme": rows["scheme"], "stratum": rows["plan"], "life": life,
        "period": rows["assigned_at"].dt.strftime("%Y-%m"), "follow_up": (as_of - rows["assigned_at"]) / day,
    })[life >= 0].reset_index(drop=True)  # fmt: skip


@pytest.mark.parametrize("days_early", [0, 180])
def test_planted_lifts_are_found(world, days_early):
    """Each within 3.5 standard errors of the truth; 180 days early, members have been followed for less."""
    rows = seen_until(world, AS_OF - timedelta(days=days_early))
    result = lasting(make_trial(rows), mass=0.95, rng=np.random.default_rng(1), draws=2_000)
    truth = {s["scheme"]: s["lift"] for s in world.truth.summary["trials"]["main"]["schemes"]}
    assert set(result.schemes) == set(truth)
    for scheme in result.schemes[1:]:
        lift = result.read(scheme, "lift")
        error = (lift.high - lift.low) / 3.92
        assert lift.value == pytest.approx(truth[scheme], abs=3.5 * error)
    if days_early:
        assert result.immature > 400
    assert 0.01 < error < 0.035
