"""What the runner takes out of a notebook, and what it refuses."""

import ast

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from sojourn.core.errors import ParameterError
from sojourn.core.results.block import MIME
from sojourn.pipeline.runner.notebook import (
    NotDefinedError,
    NotebookError,
    declared_parameters,
    execute,
    matched,
    shown,
    source_hash,
)


def parameters_cell(source):
    return new_code_cell(source, metadata={"tags": ["parameters"]})


def with_output(**output):
    return new_notebook(cells=[new_code_cell("x", outputs=[new_output(**output)])])


def test_parameters_are_read_from_the_tagged_cell():
    notebook = new_notebook(
        cells=[parameters_cell('case = "demo"\nhorizons = [30, 90]  # days\nuntil = 180')]
    )
    assert declared_parameters(notebook) == {"case": "demo", "horizons": [30, 90], "until": 180}


@pytest.mark.parametrize("source", ["import os", "a = f(1)", "a.b = 1"])
def test_a_parameters_cell_holds_literals_only(source):
    with pytest.raises((NotebookError, ValueError)):
        declared_parameters(new_notebook(cells=[parameters_cell(source)]))


def test_there_is_exactly_one_parameters_cell():
    with pytest.raises(NotebookError, match="exactly one cell tagged 'parameters', this one has 2"):
        declared_parameters(new_notebook(cells=[parameters_cell("a = 1"), parameters_cell("b = 1")]))


def test_an_unknown_parameter_is_refused_by_name_with_a_hint():
    with pytest.raises(
        ParameterError, match=r"'horizon' is not a parameter of the notebook n. Did you mean 'horizons'?"
    ):
        matched({"horizons": [1]}, {"horizon": [1], "horizons": [2]}, "n")


def test_a_missing_parameter_is_refused_by_name():
    with pytest.raises(ParameterError, match="'mass' is missing"):
        matched({"mass": 0.9, "case": "demo"}, {"case": "demo"}, "n")


def test_a_warning_fails_the_run():
    with pytest.raises(NotebookError, match=r"Cell 1 warned.*something odd"):
        list(shown(with_output(output_type="stream", name="stderr", text="something odd")))


def test_a_raw_table_is_refused():
    bare = with_output(output_type="display_data", data={"text/html": "<table>", "text/plain": "rows"})
    with pytest.raises(NotebookError, match="Cell 1 shows text/html, text/plain; a page takes blocks only"):
        list(shown(bare))


def test_blocks_text_prose_and_code_come_in_order():
    block = {"kind": "note", "text": "hello"}
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# Who?"),
            parameters_cell("a = 1"),
            new_code_cell(
                "f()",
                outputs=[
                    new_output(output_type="display_data", data={MIME: block, "text/plain": "hello"}),
                    new_output(output_type="stream", name="stdout", text="said\n"),
                ],
            ),
        ]
    )
    assert [(s.kind, s.content) for s in shown(notebook)] == [
        ("prose", "# Who?"),
        ("code", "f()"),
        ("block", block),
        ("text", "said\n"),
    ]


@pytest.mark.notebooks
def test_execution_injects_parameters_and_names_the_cell_that_fails(tmp_path):
    source, target = tmp_path / "n.ipynb", tmp_path / "out.ipynb"
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    good = new_notebook(cells=[parameters_cell("a = 1"), new_code_cell("print(a + 1)")], metadata=kernel)
    nbformat.write(good, source)
    executed = execute(source, target, {"a": 41}, environment={}, label="n")
    assert [s.content for s in shown(executed) if s.kind == "text"] == ["42\n"]
    good.cells.append(new_code_cell("1 / 0"))
    nbformat.write(good, source)
    with pytest.raises(NotebookError, match="failed with ZeroDivisionError: division by zero"):
        execute(source, target, {"a": 41}, environment={}, label="n")
    assert target.is_file()


@pytest.mark.notebooks
def test_an_answer_that_is_not_defined_is_told_from_a_failure(tmp_path):
    source = tmp_path / "n.ipynb"
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    raising = "from sojourn.core.errors import UndefinedError\nraise UndefinedError('Only 3 members.')"
    cells = [parameters_cell("a = 1"), new_code_cell(raising)]
    nbformat.write(new_notebook(cells=cells, metadata=kernel), source)
    with pytest.raises(NotDefinedError, match=r"^Only 3 members\.$"):
        execute(source, tmp_path / "out.ipynb", {"a": 1}, environment={}, label="n")


@pytest.mark.notebooks
def test_a_kernel_that_dies_is_one_clear_error(tmp_path):
    source = tmp_path / "n.ipynb"
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [parameters_cell("a = 1"), new_code_cell("import os\nos._exit(9)")]
    nbformat.write(new_notebook(cells=cells, metadata=kernel), source)
    with pytest.raises(NotebookError, match="the kernel died, as it does when memory runs out"):
        execute(source, tmp_path / "out.ipynb", {"a": 1}, environment={}, label="n")


def test_the_source_hash_sees_sources_only():
    a = new_notebook(cells=[new_code_cell("x = 1")])
    b = new_notebook(cells=[new_code_cell("x = 1", execution_count=3, metadata={"k": 1})])
    c = new_notebook(cells=[new_code_cell("x = 2")])
    assert source_hash(a) == source_hash(b) != source_hash(c)


@pytest.mark.parametrize(
    "value",
    [
        'plan"; import os; os.mkdir("made"); "',
        "plan'\nimport os\nos.mkdir('made')",
        "\\",
        '"""',
        "{x}",
        "\u202e\x00",
    ],
)
def test_a_parameter_that_tries_to_be_code_is_a_text(value):
    """Papermill writes parameters as code, so each must come back as it is, and nothing else be said."""
    from papermill.translators import translate_parameters  # reads only what it is given

    given = {"by": value, "ks": [value], "of": {value: value}}
    code = translate_parameters("python3", "python", given, "Parameters")
    statements = ast.parse(code).body
    assert [ast.unparse(statement.targets[0]) for statement in statements] == ["by", "ks", "of"]
    assert {s.targets[0].id: ast.literal_eval(s.value) for s in statements} == given
