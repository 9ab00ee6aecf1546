"""Nothing of a parameter file or a table is ever executed: the package has no means to."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "sojourn"
#: Calls that make code, objects or commands of text.
FORBIDDEN = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "subprocess.getoutput", "pickle.load",
    "pickle.loads", "marshal.loads", "shelve.open", "joblib.load", "pd.read_pickle", "pandas.read_pickle",
    "yaml.unsafe_load", "yaml.full_load", "yaml.load_all", "yaml.unsafe_load_all", "pd.eval", "np.load",
}  # fmt: skip
#: The one place where a loader is named: a safe one that allows less.
ALLOWED = {("core/plain_yaml.py", "yaml.load")}


def calls():
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield path.relative_to(SOURCE).as_posix(), ast.unparse(node.func), node


def test_nothing_makes_code_objects_or_commands_of_text():
    found = [(path, name) for path, name, _ in calls() if name in {*FORBIDDEN, "yaml.load"}]
    assert sorted(set(found) - ALLOWED) == []
    assert set(found) >= ALLOWED


def test_no_command_goes_through_a_shell():
    shells = [
        (path, name) for path, name, call in calls() for word in call.keywords
        if word.arg == "shell" and not (isinstance(word.value, ast.Constant) and word.value.value is False)
    ]  # fmt: skip
    assert shells == []


def is_literal(node):
    if isinstance(node, ast.Call):
        return all(isinstance(argument, ast.Constant) for argument in node.args)
    return isinstance(node, ast.Constant)


def test_no_template_of_words_comes_from_data():
    """`str.format` takes its template from a literal only, since a template can read attributes."""
    templates = [
        (path, node.func.value)
        for path, _, node in calls()
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "format_map")
    ]
    # the simulated platform fills in sentences of its own and reads no data
    found = [
        (path, ast.unparse(node))
        for path, node in templates
        if not is_literal(node) and not path.startswith("world/")
    ]
    assert found == []


@pytest.mark.parametrize("word", ["pickle", "marshal", "shelve"])
def test_no_format_that_holds_code_is_read(word):
    users = [
        path.name
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Import) and any(a.name.split(".")[0] == word for a in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == word)
    ]
    assert users == []
