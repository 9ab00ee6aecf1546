"""Executing a notebook with Papermill and taking out what it shows."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nbformat

from sojourn.core.errors import ParameterError, SojournError, UndefinedError
from sojourn.core.results.block import MIME


class NotebookError(SojournError):
    """A notebook did not run to its end, or shows what a page may not hold."""


class NotDefinedError(SojournError):
    """The data cannot carry the answer; its page says so in one sentence, and the pipeline goes on."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing that a notebook shows, in its order.

    Attributes
    ----------
    kind : str
        ``prose`` (Markdown), ``code`` (source), ``text`` (plain output) or ``block``.
    content : str or mapping
        Text, or the data of a block.
    place : str
        Of prose that belongs to one thing shown: ``before`` it, or ``after`` it.
    """

    kind: Literal["prose", "code", "text", "block"]
    content: Any
    place: Literal["", "before", "after"] = ""


def read_notebook(path: Path) -> Any:
    """Read a notebook file."""
    return nbformat.read(path, as_version=4)


def declared_parameters(notebook: Any) -> dict[str, Any]:
    """Return the names and literal values of the cell tagged ``parameters``.

    Raises
    ------
    NotebookError
        When there is not exactly one such cell or it holds anything but literals.
    """
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise NotebookError(
            f"A notebook has exactly one cell tagged 'parameters', this one has {len(tagged)}."
        )
    found: dict[str, Any] = {}
    for statement in ast.parse(tagged[0].source).body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            raise NotebookError(f"The parameters cell holds more than literals: {ast.unparse(statement)}")
        found[statement.targets[0].id] = ast.literal_eval(statement.value)
    return found


def matched(declared: Mapping[str, Any], given: Mapping[str, Any], notebook: str) -> dict[str, Any]:
    """Return `given` when its names are exactly the declared ones.

    Raises
    ------
    ParameterError
        Naming a parameter that the notebook does not declare, or one that nobody gives.
    """
    for name in given:
        if name not in declared:
            raise ParameterError.unknown(name, f"the notebook {notebook}", declared)
    for name in declared:
        if name not in given:
            raise ParameterError.missing(name, f"the section of the notebook {notebook}")
    return dict(given)


def execute(
    source: Path, target: Path, parameters: Mapping[str, Any], *, environment: Mapping[str, str], label: str
) -> Any:
    """Run a notebook in a fresh kernel and return it executed.

    Parameters
    ----------
    source, target : Path
        The notebook, and where its executed copy is kept while it runs (it stays there after a failure).
    parameters : mapping
        Values of its parameters cell.
    environment : mapping
        Environment of the kernel.
    label : str
        Shown beside the progress bar.

    Raises
    ------
    NotDefinedError
        When a cell raises `UndefinedError`: too little data for an answer.
    NotebookError
        When a cell fails; names the cell, its error and where the executed copy lies.
    """
    os.environ.update(environment)
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    try:
        return papermill.execute_notebook(
            str(source),
            str(target),
            parameters=dict(parameters),
            kernel_name="python3",
            cwd=str(source.parent),
            kernel_manager_class="sojourn.pipeline.runner.kernel.LocalKernelManager",
            progress_bar={
                "desc": label,
                "file": sys.stderr,
                "bar_format": "  {desc}: cell {n_fmt} of {total_fmt} [{elapsed}]",
            },
        )
    except PapermillExecutionError as error:
        if error.ename == UndefinedError.__name__:
            raise NotDefinedError(error.evalue) from error
        raise NotebookError(
            f"{label}: cell {error.cell_index + 1} failed with {error.ename}: {error.evalue} "
            f"The notebook as far as it ran: {target}"
        ) from error
    except DeadKernelError as error:
        raise NotebookError(
            f"{label}: the kernel died, as it does when memory runs out or compiled code crashes. "
            f"The notebook as far as it ran: {target}"
        ) from error
    except OSError:
        print(file=sys.stderr)  # what is said next begins a line of its own, not behind the bar
        raise


def shown(executed: Any) -> Iterator[Shown]:
    """Yield what an executed notebook shows, in its order, without its parameters.

    Raises
    ------
    NotebookError
        For a warning (anything on stderr), or an output that is neither text nor a block.
    """
    for number, cell in enumerate(executed.cells, start=1):
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "markdown":
            place: Any = next((tag for tag in tags if tag in ("before", "after")), "")
            yield Shown("prose", cell.source, place)
        elif cell.cell_type == "code" and not {"parameters", "injected-parameters"} & set(tags):
            yield Shown("code", cell.source)
            for output in cell.outputs:
                yield _output(output, number)


def _output(output: Any, number: int) -> Shown:
    if output.output_type == "stream":
        if output.name == "stderr":
            raise NotebookError(
                f"Cell {number} warned, and an unexpected warning fails the run: {output.text.strip()}"
            )
        return Shown("text", output.text)
    data = output.get("data", {})
    if MIME in data:
        return Shown("block", data[MIME])
    if set(data) == {"text/plain"}:
        return Shown("text", data["text/plain"])
    raise NotebookError(
        f"Cell {number} shows {', '.join(sorted(data)) or output.output_type}; "
        "a page takes blocks only (sj.table, sj.figure …), so that nothing private is shown by accident."
    )


def source_hash(notebook: Any) -> str:
    """Return a hash of the sources of all cells, 12 hex digits."""
    cells = [[cell.cell_type, cell.source] for cell in notebook.cells]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()[:12]
