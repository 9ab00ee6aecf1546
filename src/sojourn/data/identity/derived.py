"""All that was made of a case: tidy tables, cells, scored lists, executed notebooks, pages, DVC's copies."""

from __future__ import annotations

import configparser
import json
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from sojourn.core.project import Places, root


def derived(places: Places) -> list[Path]:
    """Return what was made of a case, and what a run that was killed has left of it."""
    case, base = places.case, places.base
    made = [places.tidy, base / "data" / "cells" / case, places.scored, places.reports]
    partial = [left for folder in made for left in folder.parent.glob(f".{case}.*")]
    executed = (base / ".sojourn" / "executed").glob(f"{case}-*.ipynb")
    spilled = [base / ".sojourn" / "spill", *(root() / "private").glob(".lookup.*")]
    experiments = (root() / ".dvc" / "tmp" / "exps").rglob(f"data/*/{case}")
    return [path for path in (*made, *partial, *executed, *spilled, *experiments) if path.exists()]


def cached(places: Places) -> list[Path]:
    """Return the copies that DVC keeps: notes on runs of the case, and every object that no other case needs.

    An object does not say of which case it is. So all go that are not outputs of another case as the lock
    has them; older versions of other cases, which can be made again, go with them.
    """
    cache = _cache(places.base)
    runs = [path for path in _files(cache / "runs") if _is_of(path, places.case)]
    needed = _needed(places, cache)
    objects = [path for path in _files(cache / "files" / "md5") if _digest(path) not in needed]
    return [*runs, *objects]


def remove(paths: Iterable[Path]) -> None:
    """Remove files and folders; one that is gone already is no error."""
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def has_remote(places: Places) -> bool:
    """Return whether DVC copies outputs to another place."""
    return any(section.startswith(("'remote", "remote")) for section in _config(places.base).sections())


def _config(base: Path) -> configparser.ConfigParser:
    config = configparser.ConfigParser(interpolation=None)
    config.read([base / ".dvc" / "config", base / ".dvc" / "config.local"], encoding="utf-8")
    return config


def _cache(base: Path) -> Path:
    stated = _config(base).get("cache", "dir", fallback="cache")
    return base / ".dvc" / stated


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _is_of(run: Path, case: str) -> bool:
    """Return whether DVC's note on a run is of a stage of the case."""
    text = run.read_text(encoding="utf-8", errors="replace")
    return re.search(rf"\bsojourn (prepare|cells|run) {re.escape(case)}\b", text) is not None


def _digest(path: Path) -> str:
    return path.parent.name + path.name


def _needed(places: Places, cache: Path) -> set[str]:
    """Return the names of the objects that the lock gives to other cases, with those inside folders."""
    lock = places.base / "dvc.lock"
    stages: dict[str, Any] = {}
    if lock.is_file():
        stages = yaml.safe_load(lock.read_text(encoding="utf-8")).get("stages") or {}
    outs = [
        str(out.get("md5"))
        for name, stage in stages.items()
        if not re.search(rf"@{re.escape(places.case)}(-|$)", name)
        for out in stage.get("outs", [])
    ]
    inside = (entry["md5"] for out in outs if out.endswith(".dir") for entry in _listed(cache, out))
    return {*outs, *inside}


def _listed(cache: Path, folder: str) -> list[dict[str, str]]:
    path = cache / "files" / "md5" / folder[:2] / folder[2:]
    found: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return found
