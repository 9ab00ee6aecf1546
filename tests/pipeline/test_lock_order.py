"""A lock says what was made, not in which runs."""

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.pipeline.reproduce import put_in_order

NAMES = ["cells@a-b", "index", "prepare@a", "study@a-b", "study@a-c"]


def lock(names):
    stages = "".join(
        f"  {name}:\n    cmd: run {name}\n    outs:\n    - path: out/{name}\n      md5: 0a\n"
        for name in names
    )
    return f"schema: '2.0'\nstages:\n{stages}"


@given(st.permutations(NAMES))
@settings(deadline=None)
def test_stages_are_ordered_by_name_and_nothing_else_changes(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("lock") / "dvc.lock"
    path.write_text(lock(names), encoding="utf-8")
    before = yaml.safe_load(path.read_text(encoding="utf-8"))
    put_in_order(path)
    assert path.read_text(encoding="utf-8") == lock(NAMES)
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == before


def test_a_finished_run_leaves_the_lock_in_order(scratch):
    names = list(yaml.safe_load((scratch.folder / "dvc.lock").read_text(encoding="utf-8"))["stages"])
    assert len(names) > 20
    assert names == sorted(names)
