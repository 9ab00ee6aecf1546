"""A project of its own for a test: a folder with a params.yaml, in which cases can be put up and run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from sojourn.core.params import Params, read_params

REPOSITORY = Path(__file__).resolve().parents[1]

ABOUT = {
    "title": "A test",
    "kind": "simulated",
    "source": "Made by a test.",
    "licence": "MIT",
    "note": "",
    "currency": "EUR",
}


class Project:
    """A scratch project: `root`, its parameters, and cases that are added to it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.shipped: dict[str, Any] = yaml.safe_load(
            (REPOSITORY / "params.yaml").read_text(encoding="utf-8")
        )
        emptied = {
            name: {}
            for name, value in self.shipped.items()
            if isinstance(value, dict) and name not in ("privacy",)
        }
        self.content: dict[str, Any] = {**self.shipped, **emptied, "studies": self.shipped["studies"]}
        self.write()

    def write(self) -> None:
        """Write params.yaml."""
        text = yaml.safe_dump(self.content, sort_keys=False, allow_unicode=True)
        (self.root / "params.yaml").write_text(text, encoding="utf-8")

    def params(self) -> Params:
        """Read params.yaml as the package does."""
        return read_params()

    def case(
        self,
        name: str = "shop",
        tables: Mapping[str, str | pd.DataFrame] | None = None,
        *,
        public: bool = True,
        prepare: Mapping[str, Any] | None = None,
        studies: Mapping[str, Any] | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> Params:
        """Add (or replace) a case of source `files`; each table is the text of a CSV or a frame."""
        files = {table: self.file(name, table, content) for table, content in (tables or {}).items()}
        section: dict[str, Any] = {
            "about": {**ABOUT, "public": public, **(about or {})},
            "prepare": {
                "source": "files",
                "tables": files,
                "as_of": "2025-07-01T00:00:00Z",
                "time_zone": "Europe/Berlin",
                **(prepare or {}),
            },
            **(studies or {}),
        }
        self.content["cases"][name] = section
        self.write()
        return self.params()

    def casebook(self, name: str, studies: Mapping[str, Any]) -> Params:
        """Add a case that has committed cells only."""
        self.content["cases"][name] = {"about": {**ABOUT, "public": True}, **studies}
        self.write()
        return self.params()

    def file(self, case: str, table: str, content: str | pd.DataFrame) -> str:
        """Write a raw table and return its path as params.yaml would state it."""
        folder = self.root / "incoming" / case
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path = folder / f"{table}.csv"
            path.write_text(content, encoding="utf-8")
        else:
            path = folder / f"{table}.parquet"
            content.to_parquet(path, index=False)
        return path.relative_to(self.root).as_posix()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return an empty project below `tmp_path`, which SOJOURN_ROOT names for the time of the test."""
    monkeypatch.setenv("SOJOURN_ROOT", str(tmp_path))
    monkeypatch.delenv("SOJOURN_KEY", raising=False)
    return Project(tmp_path)
