"""`sj.truth`: what was drawn comes back whole, and only where something was drawn."""

import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.errors import DataError, ParameterError
from sojourn.world import Truth, write_world


@pytest.fixture
def simulated(project):
    """A case of source `world` whose platform has been drawn."""
    prepare = {"source": "world", "as_of": "2025-07-01T00:00:00Z", "time_zone": "UTC"}
    project.content["cases"]["small"] = {"about": {"public": True}, "prepare": prepare}
    project.write()
    return project


def test_the_truth_is_that_of_the_world(simulated):
    asked = {"members": 120, "seed": 3, "as_of": "2025-07-01T00:00:00Z"}
    write_world(simulated.root / "data/raw/small", **asked)
    found, drawn = sj.truth("small"), sj.make_world(**asked).truth
    assert isinstance(found, Truth)
    assert found.summary["planted"] == drawn.summary["planted"]
    for name in ("members", "counterfactuals", "items"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(drawn, name))


def test_before_it_is_drawn_the_way_to_it_is_said(simulated):
    with pytest.raises(DataError, match=r"'small' has not been drawn yet\. Run `sojourn prepare small`\."):
        sj.truth("small")


def test_other_cases_have_no_truth(project):
    project.case("shop")
    project.casebook("book", {})
    for case in ("shop", "book"):
        with pytest.raises(DataError, match=f"The truth of '{case}' is not known: it is not simulated"):
            sj.truth(case)


def test_a_case_that_is_not_listed(project):
    with pytest.raises(ParameterError, match="no case 'nowhere'"):
        sj.truth("nowhere")
