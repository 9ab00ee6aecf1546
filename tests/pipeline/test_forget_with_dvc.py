"""After forgetting, DVC runs the case's stages again and brings nothing back from its caches."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sojourn.data.identity.traces import traces
from sojourn.data.pseudonyms import PUBLISHED_KEY, Key, new_key

PROJECT = Path(__file__).resolve().parents[2]
GONE = "ada-4711"
MEMBERS = "member_id,joined_at\nbob-1,2025-01-01\nada-4711,2025-01-02\ncyd-2,2025-01-03\n"
EVENTS = (
    "member_id,occurred_at,event\nbob-1,2025-02-01,login\nada-4711,2025-02-01,login\ncyd-2,2025-02-02,login\n"
)


def run(folder: Path, *words: str) -> str:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DVC_NO_ANALYTICS": "1",
    }
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def dvc(folder: Path, *words: str) -> str:
    return run(folder, sys.executable, "-m", "dvc", *words)


@pytest.mark.pipeline
@pytest.mark.parametrize("public", [True, False])
def test_a_stage_runs_again_and_nothing_comes_back(project, public) -> None:
    root = project.root
    key_id = None if public else new_key()
    for case in ("shop", "other"):
        project.case(case, {"members": MEMBERS, "events": EVENTS}, public=public, prepare={"key_id": key_id})
    project.file("other", "members", MEMBERS.replace(GONE, "eve-9"))
    project.file("other", "events", EVENTS.replace(GONE, "eve-9"))
    inputs = "inputs" if public else "private_inputs"
    base, up = (root, "") if public else (root / "private", "cd .. && ")
    where = "" if public else "../"
    project.content[inputs] = {
        case: {"case": case, "from": f"{where}incoming/{case}"} for case in ("shop", "other")
    }
    project.write()
    (base / "dvc.yaml").write_text(_stages(up, inputs), encoding="utf-8")
    if not public:
        (base / "params.yaml").symlink_to(Path("..") / "params.yaml")
    if public:
        run(base, "git", "init", "-q")
    dvc(base, "init", "-q", *([] if public else ["--no-scm"]))
    dvc(base, "repro")
    secret = PUBLISHED_KEY if public else (root / "private" / "keys" / f"{key_id}.key").read_bytes().strip()
    pseudonym = Key(secret).pseudonym(GONE)
    cached = [path for path in traces(root, [pseudonym]) if "cache" in path.parts]
    assert cached  # or there would be nothing to clear
    run(root, "sojourn", "forget", GONE, "--case", "shop")
    assert traces(root, [GONE]) == []
    assert traces(root, [pseudonym]) == [root / "private" / "forgotten" / "shop.csv"]
    said = dvc(base, "repro")
    assert "Running stage 'prepare@shop'" in said  # not taken from the notes on runs
    assert "Running stage 'prepare@other'" not in said
    assert traces(root, [GONE]) == []
    assert traces(root, [pseudonym]) == [root / "private" / "forgotten" / "shop.csv"]
    shutil.rmtree(base / "data" / "tidy" / "other")
    dvc(base, "checkout", "--force")  # of the other case the cache still has everything
    assert (base / "data" / "tidy" / "other" / "ids.parquet").is_file()


def _stages(up: str, inputs: str) -> str:
    """Return the stage `prepare` as in dvc.yaml, with copies in the cache also of a private case."""
    stage = {
        "foreach": f"${{{inputs}}}",
        "do": {
            "cmd": f"{up}sojourn prepare ${{item.case}}",
            "params": ["cases.${item.case}.prepare"],
            "deps": ["${item.from}"],
            "outs": [{"data/tidy/${item.case}": {"persist": True}}],
        },
    }
    return yaml.safe_dump({"stages": {"prepare": stage}}, sort_keys=False)
