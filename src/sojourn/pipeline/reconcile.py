"""The word `reconcile`: a company's own numbers beside ours, on the terminal, as CSV and as a page."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from sojourn.core.folder import PRIVATE_FILE
from sojourn.core.params import Params, read_params
from sojourn.core.results.reconcile import Reconciliation
from sojourn.core.text import day
from sojourn.pipeline.private import only_mine


def reconcile_case(case: str, file: Path, *, zones: Sequence[str] = ()) -> str:
    """Explain the numbers of a file, write ``reconcile.html`` and ``reconcile.csv``, and return the text.

    Parameters
    ----------
    case : str
        Name of a case that has gone through the door.
    file : Path
        CSV of the company's numbers.
    zones : sequence of str
        Further time zones to try.

    Raises
    ------
    DataError
        When the file cannot be read, or `prepare` has not run.
    LeakError
        When the file says what may not be published.
    """
    from sojourn.data.reconcile.kpis import read_kpis
    from sojourn.data.reconcile.make import ZONES, reconcile_cells
    from sojourn.data.tidy import open_tidy
    from sojourn.report.reconcile import reconcile_text
    from sojourn.studies.reconcile.explain import reconcile

    params = read_params()
    params.case(case)
    kpis, tidy = read_kpis(file), open_tidy(params, case)
    cells = reconcile_cells(
        tidy,
        kpis,
        zones=(*ZONES, *zones),
        silence_days=_silence_days(params, case),
        min_group=params.min_group,
    )
    result = reconcile(cells, kpis)
    _write(params, result, file.name, day(cells.meta["as_of"], cells.meta["time_zone"]))
    return reconcile_text(result, private=params.is_private(case))


def template() -> str:
    """Return a file of numbers to start from."""
    from sojourn.data.reconcile.kpis import TEMPLATE

    return TEMPLATE


def _silence_days(params: Params, case: str) -> int:
    """Return the length of a silence that counts as leaving in the case's study of retention."""
    if "retention" in params.case(case):
        return int(params.for_cells(case, "retention")["lapse_days"])
    return int(params.raw["studies"]["retention"]["cells"]["lapse_days"])


def _write(params: Params, result: Reconciliation, file: str, as_of: str) -> None:
    from sojourn.report.reconcile import reconcile_csv, reconcile_tables, render_reconcile
    from sojourn.report.scan import need_clean

    private = params.is_private(result.case)
    folder = params.places(result.case).reports
    texts = {
        "reconcile.html": render_reconcile(
            result, about=params.about(result.case), file=file, as_of=as_of, private=private
        ),
        "reconcile.csv": reconcile_csv(result, private=private),
        **reconcile_tables(result, private=private),
    }
    stated = [text for text in params.about(result.case).values() if isinstance(text, str)]
    need_clean(texts, f"The page of {file} beside {result.case}", stated=stated)
    with only_mine(private):
        (folder / "reconcile").mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            _put(folder / name, text, private=private)


def _put(path: Path, text: str, *, private: bool) -> None:
    """Write a file beside its place and rename it."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as out:
        out.write(text)
    made = Path(out.name)
    made.chmod(PRIVATE_FILE if private else 0o644)
    made.replace(path)
