"""Committed cells are used only when they are what is said of them."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from sojourn.core.errors import DataError, ParameterError
from sojourn.core.params import Params, read_params
from sojourn.data.casebook import casebook_cells, write_casebook
from sojourn.data.cells import cells, write_cells

ARMS = pd.DataFrame({"scheme": ["none", "coupon"], "n": [60, 40], "total": ["1.5", "0.250000000"]})
TYPES = {"arms": {"scheme": "text", "n": "int", "total": "decimal"}}
ABOUT = {
    "case": "old",
    "study": "trials",
    "source": "A paper",
    "licence": "not stated",
    "rows_seen": 100,
    "counted_by": {"table": "arms", "column": "n"},
    "script": "scripts/old.py",
    "unit": "day",
}


@pytest.fixture
def old(project) -> tuple[Params, Path]:
    params = project.casebook("old", {"trials": {"cells": {}}})
    folder = params.places("old").casebook / "trials"
    write_casebook(folder, {"arms": ARMS}, TYPES, ABOUT)
    return params, folder


def say(folder: Path, **changes: object) -> None:
    """Change what cells.json says; None takes it out."""
    path = folder / "cells.json"
    said = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    path.write_text(json.dumps({k: v for k, v in said.items() if v is not None}), encoding="utf-8")


def replace(folder: Path, text: str) -> None:
    """Change the table and its checksum."""
    (folder / "arms.csv").write_text(text, encoding="utf-8")
    say(folder, sha256={"arms": hashlib.sha256(text.encode()).hexdigest()})


def test_what_is_written_is_read(old) -> None:
    params, folder = old
    assert (folder / "arms.csv").read_text(
        encoding="utf-8"
    ) == "scheme,n,total\ncoupon,40,0.250000000\nnone,60,1.5\n"
    read = casebook_cells(params, "old", "trials")
    assert read.tables["arms"].to_dict("list") == {
        "scheme": ["coupon", "none"],
        "n": [40, 60],
        "total": [Decimal("0.25"), Decimal("1.5")],
    }
    assert dict(read.meta) == ABOUT


def test_other_files_of_the_folder_stay(old) -> None:
    _, folder = old
    (folder / "make.py").write_text("pass\n", encoding="utf-8")
    write_casebook(folder, {"arms": ARMS}, TYPES, ABOUT)
    assert sorted(path.name for path in folder.iterdir()) == ["arms.csv", "cells.json", "make.py"]


def test_rows_may_be_counted_in_a_part_of_a_table(old) -> None:
    params, folder = old
    say(folder, rows_seen=40, counted_by={"table": "arms", "column": "n", "where": {"scheme": "coupon"}})
    assert casebook_cells(params, "old", "trials").meta["rows_seen"] == 40


@pytest.mark.parametrize("name", [*[n for n in ABOUT if n != "unit"], "types", "sha256"])
def test_everything_required_is_stated(old, name) -> None:
    params, folder = old
    say(folder, **{name: None})
    with pytest.raises(DataError) as raised:
        casebook_cells(params, "old", "trials")
    assert str(raised.value) == (
        f"casebook/old/trials: cells.json does not say '{name}'. "
        "Every casebook states case, study, source, licence, rows_seen, counted_by, script."
    )


def test_nothing_is_written_without_it(tmp_path) -> None:
    with pytest.raises(DataError, match=r"cells\.json does not say 'licence'"):
        write_casebook(tmp_path / "x", {"arms": ARMS}, TYPES, {**ABOUT, "licence": ""})
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "scheme,n,total\ncoupon,40.5,1\nnone,x,1\n",
            (
                "casebook/old/trials/arms.n: not of the type 'int' in 2 of 2 rows (for example '40.5', 'x'). "
                "Correct the script that makes the cells."
            ),
        ),
        (
            "scheme,n,total\ncoupon,40,nan\nnone,60,0.0000000001\n",
            (
                "casebook/old/trials/arms.total: not of the type 'decimal' in 2 of 2 rows "
                "(for example 'nan', '0.0000000001'). Correct the script that makes the cells."
            ),
        ),
        (
            "n,scheme,total\n40,coupon,1\n",
            (
                "casebook/old/trials/arms.csv: columns are ['n', 'scheme', 'total'], "
                "cells.json says ['scheme', 'n', 'total']."
            ),
        ),
        (
            "scheme,n,total\n",
            "arms: casebook/old/trials/arms.csv has no rows. Fill it, or take the table out of the case.",
        ),
        (
            "scheme,n,total\ncoupon,40,1\nnone,61,1\n",
            (
                "casebook/old/trials: arms.n adds up to 101, but cells.json says 100 rows were seen. "
                "Run scripts/old.py again."
            ),
        ),
    ],
)
def test_tables_are_what_is_said_of_them(old, text, message) -> None:
    params, folder = old
    replace(folder, text)
    with pytest.raises(DataError) as raised:
        casebook_cells(params, "old", "trials")
    assert str(raised.value) == message


def test_a_table_edited_by_hand_is_refused(old) -> None:
    params, folder = old
    path = folder / "arms.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("40", "41"), encoding="utf-8")
    with pytest.raises(DataError) as raised:
        casebook_cells(params, "old", "trials")
    assert str(raised.value) == (
        "casebook/old/trials/arms.csv: its content is not what cells.json has the SHA-256 of. "
        "Committed cells are never edited by hand; run scripts/old.py again."
    )


def test_a_file_too_many_or_too_few_is_refused(old) -> None:
    params, folder = old
    (folder / "extra.csv").write_text("a\n1\n", encoding="utf-8")
    with pytest.raises(
        DataError, match=r"^casebook/old/trials: tables and files differ \(extra\)\. Run scripts/old"
    ):
        casebook_cells(params, "old", "trials")


def test_cells_of_another_pair_are_refused(old) -> None:
    params, folder = old
    say(folder, study="retention")
    with pytest.raises(DataError, match=r"^casebook/old/trials: cells.json is of old/retention\."):
        casebook_cells(params, "old", "trials")


def test_an_unknown_type_is_refused(old) -> None:
    params, folder = old
    say(folder, types={"arms": {"scheme": "text", "n": "float", "total": "decimal"}})
    with pytest.raises(DataError, match=r"'float' is not a type of cells\. Known: int, decimal, text"):
        casebook_cells(params, "old", "trials")


def test_a_pair_without_a_folder(project) -> None:
    params = project.casebook("old", {"trials": {"cells": {}}})
    with pytest.raises(DataError) as raised:
        write_cells(params, "old", "trials")
    assert str(raised.value) == (
        "casebook/old/trials: there is no cells.json. Commit the folder, or take the pair out of `pairs`."
    )
    assert not params.places("old").cells("trials").exists()


def test_the_stage_copies_what_it_checked(old) -> None:
    params, _ = old
    folder = write_cells(params, "old", "trials")
    assert sorted(path.name for path in folder.iterdir()) == ["arms.parquet", "cells.json"]
    made, read = cells("old", "trials"), casebook_cells(params, "old", "trials")
    assert dict(made.meta) == dict(read.meta)
    assert made.tables["arms"].to_dict("list") == read.tables["arms"].to_dict("list")


def test_committed_cells_cannot_be_made_anew(old) -> None:
    params, _ = old
    changed = next(iter(params.for_cells("old", "trials")))
    with pytest.raises(ParameterError) as raised:
        cells("old", "trials", **{changed: None})
    assert str(raised.value) == (
        "The cells of 'old' are committed and cannot be made anew with other parameters. "
        'Use them as they are: cells("old", "trials").'
    )


def shipped_pairs() -> list[tuple[str, str]]:
    """Return the (case, study) pairs of the repository's casebook."""
    book = Path(__file__).resolve().parents[2] / "data" / "casebook"
    return sorted((path.parent.parent.name, path.parent.name) for path in book.glob("*/*/cells.json"))


@pytest.mark.parametrize("pair", shipped_pairs(), ids="-".join)
def test_the_shipped_casebook_is_sound(pair, monkeypatch) -> None:
    monkeypatch.setenv("SOJOURN_ROOT", str(Path(__file__).resolve().parents[2]))
    assert casebook_cells(read_params(), *pair).tables
