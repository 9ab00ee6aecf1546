"""What a case may say of copies and of names."""

from __future__ import annotations

import pandas as pd
import pytest

from sojourn.core.errors import ParameterError
from sojourn.data.checks.stated import read_duplicates, read_known_values
from sojourn.data.prepare import prepare
from sojourn.data.pseudonyms import Key

EVENTS = "member_id,occurred_at,event\n" + "".join(
    f"{i % 30},2025-{1 + i % 6:02d}-{1 + i % 28:02d}T10:{i % 60:02d}:00Z,{'view' if i % 50 else 'veiw'}\n"
    for i in range(300)
)


def found(folder, level: str) -> list[str]:
    findings = pd.read_parquet(folder / "findings.parquet")
    return findings[findings["level"] == level]["finding"].tolist()


def test_what_may_be_said():
    assert read_duplicates({"events": "drop"}, "here") == {"events": "drop"}
    assert read_known_values({"events": {"event": ["a", 7]}}, "here") == {"events": {"event": ("a", "7")}}


@pytest.mark.parametrize("stated", [{"evnts": "drop"}, {"events": "dorp"}, ["events"], {"events": True}])
def test_what_may_not_be_said_of_copies(stated):
    with pytest.raises(ParameterError):
        read_duplicates(stated, "here")


@pytest.mark.parametrize(
    "stated",
    [{"evnts": {}}, {"events": {"amount": ["1"]}}, {"events": {"event": "view"}}, {"events": ["event"]}],
)
def test_what_may_not_be_said_of_names(stated):
    with pytest.raises(ParameterError):
        read_known_values(stated, "here")


def test_names_that_the_case_does_not_know_are_warned_of(project):
    known = {"known_values": {"events": {"event": ["view"]}}}
    folder = prepare(project.case("shop", {"events": EVENTS}, prepare=known), "shop")
    assert found(folder, "warning") == ["a name that `known_values` does not have ('veiw')"]


def test_without_a_list_they_are_noted_when_rare(project):
    text = EVENTS.replace("veiw", "view", 3)
    folder = prepare(project.case("shop", {"events": text}), "shop")
    assert "a name that hardly any row has ('veiw')" in found(folder, "note")
    assert found(folder, "warning") == []


def test_no_name_of_a_private_case_is_shown(project, monkeypatch):
    secret = "5c" * 32
    monkeypatch.setenv("SOJOURN_KEY", secret)
    said = {"known_values": {"events": {"event": ["view"]}}, "key_id": Key(secret.encode()).key_id}
    folder = prepare(project.case("shop", {"events": EVENTS}, public=False, prepare=said), "shop")
    assert found(folder, "warning") == ["a name that `known_values` does not have"]
    assert "veiw" not in (folder / "quality.csv").read_text(encoding="utf-8")
