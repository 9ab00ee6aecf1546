"""What `make` refuses before anything runs: every fault of params.yaml is one clear error by name."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from sojourn.core.errors import ParameterError
from sojourn.pipeline.declared import check_params

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def params(tmp_path, monkeypatch):
    """The shipped parameters, and a function that checks a changed copy of them."""
    for name in ("dvc.yaml",):
        shutil.copy(PROJECT / name, tmp_path)
    shutil.copytree(PROJECT / "notebooks", tmp_path / "notebooks", ignore=shutil.ignore_patterns("kernel-*"))
    for room in ("survival", "bayes", "cluster"):
        (tmp_path / "src/sojourn/estimators" / room).mkdir(parents=True)
        (tmp_path / "src/sojourn/estimators" / room / "__init__.py").touch()
    monkeypatch.setenv("SOJOURN_ROOT", str(tmp_path))
    return yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))


def check(params, tmp_path):
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    check_params()


def put(params, path, value):
    *way, last = path.split("/")
    for name in way:
        params = params[name]
    params[last] = value


def test_the_shipped_parameters_pass(params, tmp_path):
    check(params, tmp_path)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("sedd", 1, "'sedd' is not a parameter of params.yaml. Did you mean 'seed'?"),
        ("seed", "abc", "'seed' must be a whole number, got 'abc'"),
        ("privacy", {"min_grup": 5}, "'min_grup' is not a parameter of privacy. Did you mean 'min_group'?"),
        ("privacy", None, "'min_group' is missing from privacy"),
        ("privacy/min_group", 0, "'min_group' must be at least 2, got 0"),
        ("engine/backend", "spark", "'engine.backend' must be one of 'duckdb', 'pyspark', got 'spark'"),
        ("engine/memory", "4GB", "Did you mean 'memory_limit'?"),
        ("engine/memory_limit", "lots", "'engine.memory_limit' must be a size such as 4GB or 300MB"),
        ("engine/memory_limit", 4, "'engine.memory_limit' must be a text, got 4"),
        ("engine/address", "sc://host:15002", "goes with 'backend: pyspark'"),
        ("cases/demo/about/kind", "rael", "'cases.demo.about.kind' must be one of 'real'"),
        ("cases/demo/about/public", "no", "'public' of cases.demo.about must be true or false, got 'no'"),
        ("cases/demo/about", None, "'title' is missing from cases.demo.about"),
        ("cases/demo/retention", None, "'cells' is missing from cases.demo.retention"),
        ("cases/demo/retention/cells", ["a"], "'cases.demo.retention.cells' must be a section with names"),
        ("cases/demo/retentoin", {}, "Did you mean 'retention'?"),
        ("cases/demo/retention/mass", 95, "'cases.demo.retention.mass' must be below 1, got 95"),
        ("cases/demo/retention/mass", "high", "must be of the kind of its default 0.95, got 'high'"),
        ("cases/demo/retention/horizons", ["a"], "must be of the kind of its default [30, 90, 180]"),
        ("cases/demo/retention/until", True, "must be of the kind of its default 180, got True"),
        ("cases/demo/retention/cells/lapse_dyas", 3, "Did you mean 'lapse_days'?"),
        ("cases/demo/prepare/as_off", "x", "Did you mean 'as_of'?"),
        ("cases/demo/prepare/time_zone", "Europe/Berlim", "Europe/Berlim"),
        ("pairs/demo-retention/study", "retentoin", "must be called 'demo-retentoin'"),
        ("pairs/demo-retention/notebook", "nowhere", "there is no notebooks/nowhere.ipynb"),
        ("pairs/demo-retention/estimators", "survivl", "must be one of 'bayes', 'cluster', 'survival'"),
        ("pairs/demo-retention/from", "data/tidy/cdnow", "must be one of 'data/tidy/demo'"),
        ("pairs/demo-retention/given", "data/plan", "must be one of 'data/plans', got 'data/plan'"),
        ("pairs/demo-board/given", "data/plans", "must be one of 'reports/cases/demo/segments'"),
        ("inputs/demo", None, "'inputs.demo' must be a section with case, from"),
        ("private_pairs/demo-retention", None, "'private_pairs.demo-retention' must be a section"),
    ],
)
def test_one_fault_is_one_clear_error(params, tmp_path, path, value, said):
    put(params, path, value)
    with pytest.raises(ParameterError) as raised:
        check(params, tmp_path)
    assert said in str(raised.value)


def test_every_room_of_estimators_that_a_study_imports_is_declared(params):
    """Otherwise its page stays as it was when that room changes."""
    studies = PROJECT / "src/sojourn/studies"
    for name, pair in params["pairs"].items():
        code = "".join(path.read_text(encoding="utf-8") for path in (studies / pair["study"]).glob("*.py"))
        rooms = set(re.findall(r"^\s*from sojourn\.estimators\.(\w+)", code, re.M))
        assert rooms <= {pair["estimators"], pair["also"]}, name


@pytest.mark.parametrize("section", ["private_pairs", "private_inputs"])
def test_an_empty_section_holds_nothing(params, tmp_path, section):
    params[section] = None
    check(params, tmp_path)


def test_a_case_name_cannot_leave_the_project(params, tmp_path):
    params["cases"]["../../x"] = params["cases"]["demo"]
    with pytest.raises(ParameterError, match="named by a-z, 0-9 and _"):
        check(params, tmp_path)


def test_a_pair_without_metrics_is_named(params, tmp_path):
    del params["pairs"]["telco-retention"]
    with pytest.raises(ParameterError, match=r"differ: reports/cases/telco/retention/headline\.json"):
        check(params, tmp_path)


def test_a_board_needs_the_page_whose_rule_it_uses(params, tmp_path):
    del params["pairs"]["demo-segments"]
    with pytest.raises(ParameterError, match="Add the pair 'demo-segments'"):
        check(params, tmp_path)


@pytest.mark.parametrize(
    ("pair", "needed"),
    [("demo-board", "reports/cases/demo/segments"), ("telco-retention", "data/plans")],
)
def test_a_pair_of_before_is_told_what_to_add(params, tmp_path, pair, needed):
    del params["pairs"][pair]["given"]
    with pytest.raises(ParameterError, match=rf"'given' is missing in pairs\.{pair}: add `given: {needed}`"):
        check(params, tmp_path)


def test_a_case_that_does_not_say_it_is_public_is_private(params, tmp_path):
    del params["cases"]["telco"]["about"]["public"]
    with pytest.raises(ParameterError, match="'telco' is private and stands in `pairs`"):
        check(params, tmp_path)


def test_a_root_without_parameters_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("SOJOURN_ROOT", str(tmp_path))
    with pytest.raises(
        ParameterError, match=r"There is no params\.yaml in .* Does SOJOURN_ROOT name the project"
    ):
        check_params()


def test_yaml_that_cannot_be_read_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("SOJOURN_ROOT", str(tmp_path))
    (tmp_path / "params.yaml").write_text("seed: [1")
    with pytest.raises(ParameterError, match=r"params\.yaml is not readable YAML"):
        check_params()


HOSTILE = [
    "x; touch pwned",
    "$(touch pwned)",
    "`touch pwned`",
    "../x",
    "x y",
    "${seed}",
    "-x",
    "x\ny",
    "X",
    "",
    "a" * 61,
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("section", ["cases", "studies"])
def test_a_name_that_a_shell_or_a_path_would_take_for_more_is_refused(params, tmp_path, section, name):
    params[section][name] = {}
    with pytest.raises(ParameterError, match="named by a-z, 0-9 and _"):
        check(params, tmp_path)
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("name", [1, True, None, 1.5])
def test_a_name_that_is_no_text_is_refused(params, tmp_path, name):
    params["cases"][name] = {}
    with pytest.raises(ParameterError, match="named by a-z, 0-9 and _"):
        check(params, tmp_path)


@pytest.mark.parametrize("key", ["case", "study", "from", "given", "notebook", "estimators", "also"])
@pytest.mark.parametrize("value", [*HOSTILE[:3], "${seed}", "-x", "x\ny", ["a"], {"a": 1}, 3, None])
def test_no_value_of_a_pair_is_more_than_text(params, tmp_path, key, value):
    params["pairs"]["telco-retention"][key] = value
    with pytest.raises(ParameterError, match="telco-retention"):
        check(params, tmp_path)


@pytest.mark.parametrize("value", [*HOSTILE[:3], "${seed}", "-x", "x\ny", ["a"], None])
def test_no_value_of_an_input_is_more_than_text(params, tmp_path, value):
    params["inputs"]["cdnow"]["from"] = value
    with pytest.raises(ParameterError, match=r"'from' of inputs\.cdnow"):
        check(params, tmp_path)


def test_a_notebook_is_one_of_the_project(params, tmp_path):
    (tmp_path / "elsewhere.ipynb").touch()
    params["pairs"]["telco-retention"]["notebook"] = "../elsewhere"
    with pytest.raises(ParameterError, match="not a path"):
        check(params, tmp_path)
