"""Faults that simulated worlds plant are found by the checks of assignment: from raw tables to verdicts."""

import shutil

import pytest
import yaml

from sojourn.core.params import read_params
from sojourn.core.project import root
from sojourn.core.results.trials import Trial
from sojourn.data.cells import make_cells
from sojourn.data.tidy import open_tidy
from sojourn.pipeline.stages import prepare
from sojourn.studies.trials.assignment import check_assignment
from sojourn.studies.trials.clustered import clustered
from sojourn.studies.trials.missing import missing_outcomes
from sojourn.studies.trials.split import check_split
from sojourn.studies.trials.trial import trial

pytestmark = pytest.mark.slow

#: Members of each world: enough for its fault to be found with a chance of more than 999 in 1,000.
WORLDS = {
    "two_arms": 1_500,
    "unequal_missing": 4_000,
    "clusters": 4_000,
    "changing_allocation": 2_000,
    "sample_ratio": 20_000,
}


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Return a function that draws a world and brings it through the door as the case `demo`."""

    def made(world: str) -> Trial:
        content = yaml.safe_load((root() / "params.yaml").read_text(encoding="utf-8"))
        content["cases"] = {"demo": content["cases"]["demo"]}
        content["cases"]["demo"]["prepare"] |= {"world": world, "members": WORLDS[world]}
        shutil.rmtree(tmp_path, ignore_errors=True)
        tmp_path.mkdir()
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        monkeypatch.setenv("SOJOURN_ROOT", str(tmp_path))
        prepare("demo")
        params = read_params()
        cells = make_cells(open_tidy(params, "demo"), "trials", params.for_cells("demo", "trials"))
        return trial(cells, min_group=20)

    return made


def verdicts(made: Trial) -> dict[str, str]:
    return {check.name: check.verdict for check in check_assignment(made)}


def test_three_members_in_a_hundred_in_two_arms_block(drawn) -> None:
    made = drawn("two_arms")
    assert verdicts(made)["Nobody in two schemes"] == "fail"
    faults = made.other("faults").set_index("fault")["members"]
    share = faults["two_schemes"].sum() / made.split["assigned"].sum()
    assert 0.015 < share < 0.05  # planted .03, of about 1,000 members: 3.7 standard errors


def test_leavers_who_withdraw_make_outcomes_missing_unequally(drawn) -> None:
    """The offer does nothing: its lift among those known is above 0, and the bounds hold 0."""
    made = drawn("unequal_missing")
    assert verdicts(made)["Outcomes known equally in all schemes"] == "fail"
    row = missing_outcomes(made).table.set_index(["outcome", "scheme"]).loc[("kept_at_90", "offer")]
    assert row["lift"] > 0.02
    assert row["worst_low"] < 0 < row["worst_high"]


def test_clubs_that_are_alike_block_and_widen_the_interval(drawn) -> None:
    made = drawn("clusters")
    assert verdicts(made)["Members assigned one by one, or as if"] == "fail"
    row = clustered(made).table.set_index("outcome").loc["kept_at_90"]
    assert row["design_effect"] > 1.5
    assert row["lift_low"] < 0 < row["lift_high"]  # the offer does nothing


def test_an_allocation_that_changes_is_seen_on_its_first_days(drawn) -> None:
    made = drawn("changing_allocation")
    assert verdicts(made)["Members divided as planned on every day"] == "fail"
    assert check_split(made).p_drift < 0.001


def test_one_assignment_in_twelve_that_is_lost_shows_in_the_split(drawn) -> None:
    """Lost by chance, so in no group more than in others; all other checks pass."""
    made = drawn("sample_ratio")
    assert check_split(made).verdict == "fail"
    found = verdicts(made)
    assert found.pop("Members divided as planned on every day") in ("warn", "fail")
    assert set(found.values()) == {"pass"}
