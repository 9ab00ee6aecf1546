"""What becomes stale when, as `dvc status` sees it: exactly what reads the thing that changed."""

import sys

import pytest
import yaml

pytestmark = pytest.mark.pipeline


def pairs(scratch, **match):
    found = scratch.params()["pairs"]
    return {name for name, pair in found.items() if all(pair[key] == value for key, value in match.items())}


def stages(scratch, *words, **match):
    return {f"{word}@{name}" for word in words for name in pairs(scratch, **match)}


def without_consequences(stale):
    """`index` reads all reports, so it may be listed or not before the studies have run."""
    return stale - {"index"}


def override(scratch, case, study, key, value):
    params = scratch.params()
    params["cases"][case][study][key] = value
    (scratch.folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


def test_a_finished_pipeline_is_up_to_date(scratch):
    assert scratch.stale() == set()


def test_one_case_s_override_makes_only_that_case_s_study_stale(scratch):
    override(scratch, "cdnow", "retention", "mass", 0.9)
    assert without_consequences(scratch.stale()) == {"study@cdnow-retention"}


def test_one_case_s_cells_override_rescans_only_that_case(scratch):
    override(scratch, "cdnow", "retention", "cells", {"lapse_days": 91})
    assert without_consequences(scratch.stale()) == {"cells@cdnow-retention", "study@cdnow-retention"}


def test_an_analysis_parameter_reruns_its_study_everywhere_without_rescanning(scratch):
    params = scratch.params()
    params["studies"]["retention"]["mass"] = 0.8
    (scratch.folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    assert without_consequences(scratch.stale()) == stages(scratch, "study", study="retention")


def test_the_door_s_parameters_of_a_case_concern_only_what_follows_from_it(scratch):
    params = scratch.params()
    params["cases"]["cdnow"]["prepare"]["as_of"] = "1998-06-01T00:00:00Z"
    (scratch.folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    assert without_consequences(scratch.stale()) == {"prepare@cdnow"}


@pytest.mark.parametrize(
    ("file", "match"),
    [
        ("src/sojourn/showing.py", {}),
        ("src/sojourn/studies/trials/__init__.py", {"study": "trials"}),
        ("src/sojourn/studies/portrait/__init__.py", {"study": "portrait"}),
        ("notebooks/00-who-is-here.ipynb", {"study": "portrait"}),
        ("notebooks/10-who-stays.ipynb", {"study": "retention"}),
    ],
)
def test_an_edited_room_makes_exactly_its_users_stale(scratch, file, match):
    scratch.append(file)
    assert without_consequences(scratch.stale()) == stages(scratch, "study", **match)


@pytest.mark.parametrize("room", ["bayes", "survival", "cluster"])
def test_an_edited_room_concerns_those_who_use_it_as_their_second_too(scratch, room):
    scratch.append(f"src/sojourn/estimators/{room}/__init__.py")
    users = stages(scratch, "study", estimators=room) | stages(scratch, "study", also=room)
    assert without_consequences(scratch.stale()) == users


def test_a_changed_page_of_segments_makes_the_cells_of_its_board_stale(scratch):
    scratch.append("reports/cases/demo/segments/headline.json")
    stale = without_consequences(scratch.stale())
    assert stale == {"study@demo-segments", "cells@demo-board"}


def test_an_edited_data_room_concerns_the_door_and_the_cells_only(scratch):
    scratch.append("src/sojourn/data/engine.py")
    inputs = {f"prepare@{name}" for name in scratch.params()["inputs"]}
    assert without_consequences(scratch.stale()) == inputs | stages(scratch, "cells")


def test_the_currency_goes_with_the_amounts_through_the_door(scratch):
    params = scratch.params()
    params["cases"]["cdnow"]["about"]["currency"] = "GBP"
    (scratch.folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    assert "prepare@cdnow" in scratch.stale()
    assert "prepare@demo" not in scratch.stale()


def test_the_world_concerns_the_demo_only(scratch):
    scratch.append("src/sojourn/world/__init__.py")
    assert without_consequences(scratch.stale()) == {"prepare@demo"}


def test_files_that_no_stage_uses_make_nothing_stale(scratch):
    for name in ("README.md", "src/sojourn/pipeline/verify.py", "Makefile"):
        scratch.append(name)
    assert scratch.stale() == set()


def test_importing_everything_makes_nothing_stale(scratch):
    everything = (
        "import pkgutil, importlib, sojourn; "
        "[importlib.import_module(m.name) for m in pkgutil.walk_packages(sojourn.__path__, 'sojourn.')]"
    )
    scratch.run(sys.executable, "-W", "ignore", "-c", everything)
    assert list(scratch.folder.glob("src/**/__pycache__"))
    assert scratch.stale() == set()


def test_running_again_runs_nothing(scratch):
    scratch.reproduce()
    assert scratch.calls() == []


def test_a_failing_stage_keeps_its_last_good_outputs(scratch):
    page = scratch.folder / "reports/cases/cdnow/retention.html"
    before = page.read_bytes()
    override(scratch, "cdnow", "retention", "mass", 0.9)
    (scratch.folder / "fail-at").write_text("run cdnow retention")
    scratch.reproduce(ok=False)
    assert "run cdnow retention" in scratch.calls()
    assert page.read_bytes() == before


def test_a_change_of_the_pipeline_s_list_renames_no_other_stage(scratch):
    params = scratch.params()
    params["pairs"] = dict(reversed(params["pairs"].items()))
    (scratch.folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    assert scratch.stale() == set()


def test_the_first_run_runs_every_stage_although_a_lock_and_reports_are_committed(scratch):
    (scratch.folder / ".dvc/tmp/sojourn-first-run").unlink()
    scratch.reproduce()
    calls = scratch.calls()
    params = scratch.params()
    assert len(calls) == len(params["inputs"]) + 2 * len(params["pairs"]) + 1
    assert scratch.stale() == set()


def test_an_interrupted_first_run_resumes(first_runs):
    before, after = first_runs
    assert "cells demo trials" in before
    assert set(before) & set(after) == {"cells demo trials"}
    assert "index" in after


def test_a_private_case_leaves_the_shared_lock_and_git_alone(scratch):
    params = scratch.params()
    lock = (scratch.folder / "dvc.lock").read_bytes()
    params["cases"]["mine"] = {
        **params["cases"]["cdnow"],
        "about": {**params["cases"]["cdnow"]["about"], "public": False},
    }
    params["private_inputs"] = {"mine": {"case": "mine", "from": "data/raw/mine"}}
    params["private_pairs"] = {
        "mine-retention": {
            **params["pairs"]["cdnow-retention"],
            "case": "mine",
            "from": "data/tidy/mine",
        }
    }
    (scratch.folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    (scratch.folder / "private/data/raw/mine").mkdir(parents=True)
    (scratch.folder / "private/data/raw/mine/events.csv").write_text("member_id,occurred_at,event\n")
    cli = scratch.folder / "src/sojourn/pipeline/cli.py"
    cli.write_text(
        cli.read_text().replace('f"data/', 'f"private/data/').replace('f"reports/', 'f"private/reports/')
    )
    scratch.run("git", "add", "-A")
    scratch.reproduce()
    assert scratch.calls() == ["prepare mine", "cells mine retention", "run mine retention", "index"]
    assert (scratch.folder / "dvc.lock").read_bytes() == lock
    assert scratch.run("git", "ls-files", "--others", "--exclude-standard").strip() in {"", "calls.log"}
    assert (scratch.folder / "private/dvc.lock").is_file()
    assert scratch.stale() == set()
    scratch.reproduce()
    assert scratch.calls() == []
