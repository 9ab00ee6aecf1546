"""The walk-through of docs/your-own-data.md does what it says: every command, every line it prints."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from walked import REPOSITORY, change_parameters, scratch_project, walk_console

SHARED = REPOSITORY.parent / "shared"
PAGE = REPOSITORY / "docs" / "your-own-data.md"
BLOCK = re.compile(r"^```(console|diff)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def walked(tmp_path_factory) -> Iterator[Path]:
    """A project in which the whole page was walked through, beside a folder of shared data."""
    if not (SHARED / "data" / "college_msg").is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail("../shared/data is not there, which the walk-through needs")
        pytest.skip("../shared/data, which the walk-through starts from, is not there")
    folder = tmp_path_factory.mktemp("walk")
    (folder / "shared").symlink_to(SHARED)
    with scratch_project(folder / "project") as root:
        for kind, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
            walk_console(text) if kind == "console" else change_parameters(root, text)
        yield root


def readings(root: Path, case: str) -> pd.DataFrame:
    table = pd.read_csv(root / f"private/reports/cases/{case}/retention/retention-at.csv")
    return table.set_index("days_since_first_event")


def in_page(root: Path, row: str) -> list[float]:
    """Return the numbers of a row of the page's table."""
    [cells] = re.findall(rf"^\| {row} \|(.*)\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [float(cell) for cell in cells.split("|")]


def test_the_page_says_what_the_commands_print(walked):
    assert (walked / "private/reports/cases/college_msg/retention.html").is_file()
    assert (walked / "private/reports/cases/online_retail/retention.html").is_file()


def first_silences(times: pd.Series, end: float, lapse: float) -> tuple[list[float], list[bool]]:
    """Return days from first event to the first gap over `lapse`, or to `end - lapse`; whether it was one."""
    days, lapsed = [], []
    for at in times.groupby(level=0):
        stamps = np.sort(at[1].to_numpy())
        gaps = np.flatnonzero(np.diff([*stamps, end]) > lapse)
        days.append(stamps[gaps[0]] - stamps[0] if len(gaps) else end - lapse - stamps[0])
        lapsed.append(bool(len(gaps)))
    return days, lapsed


def product_limit(days: np.ndarray, lapsed: np.ndarray, at: int) -> float:
    """Return the share still there after so many days, by the definition of Kaplan and Meier."""
    left = 1.0
    for day in np.unique(days[lapsed & (days <= at)]):
        left *= 1 - (lapsed & (days == day)).sum() / (days >= day).sum()
    return float(left)


def test_the_exact_numbers_are_those_of_the_file_and_those_of_the_page_are_near(walked):
    raw = pd.read_csv(walked.parent / "shared/data/college_msg/CollegeMsg.txt.gz", sep=" ", header=None)
    times = pd.Series(raw[2].to_numpy() / 86_400, index=raw[0].to_numpy())
    days, lapsed = first_silences(times, float(times.max()), 30)
    judged = np.asarray(days) >= 0  # others came too late for a silence of 30 days
    exact = [
        product_limit(np.asarray(days)[judged], np.asarray(lapsed)[judged], at) for at in (1, 7, 30, 60, 90)
    ]
    assert in_page(walked, "exact") == pytest.approx(exact, abs=5e-5)  # of four decimals
    shown = readings(walked, "college_msg")
    assert shown.index.tolist() == [1, 7, 30, 60, 90]
    assert in_page(walked, "on the page") == pytest.approx(shown["retained"].tolist(), abs=5e-5)
    assert (shown["at_risk"] % 20 == 0).all()


def test_the_sentence_in_the_page_is_that_of_the_report(walked):
    report = (walked / "private/reports/cases/college_msg/retention.html").read_text(encoding="utf-8")
    [said] = re.findall(r"\*(Of 100 members.*?)\*", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert " ".join(said.split()) in " ".join(re.sub(r"<[^>]+>", "", report).split())


def test_what_was_made_is_private(walked):
    open_to_others = [p for p in (walked / "private").rglob("*") if p.lstat().st_mode & 0o077]
    assert not [path for path in open_to_others if not path.is_symlink()]
    assert not (walked / "data").exists()
    assert not (walked / "reports").exists()
