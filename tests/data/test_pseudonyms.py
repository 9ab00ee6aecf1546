"""Pseudonyms are HMAC-SHA-256, and a key that does not fit is an error that never shows it."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from sojourn.core.errors import ParameterError
from sojourn.data.prepare import prepare
from sojourn.data.pseudonyms import PUBLISHED_KEY, Key, find_key, new_key

SECRET = "a key of the test, long enough"
KEY_ID = hashlib.sha256(SECRET.encode()).hexdigest()[:8]
OTHER = "another key of the test, long enough"
OTHER_ID = hashlib.sha256(OTHER.encode()).hexdigest()[:8]
EVENTS = (
    "member_id,occurred_at,event\nänn-7,2025-01-02,login\nbob-1,2025-01-01,login\nbob-1,2025-01-03,login\n"
)


def store(project, secret: str, key_id: str = KEY_ID) -> None:
    folder = project.root / "private" / "keys"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{key_id}.key").write_text(secret + "\n", encoding="utf-8")


def test_pseudonyms_equal_the_hmac_module(project) -> None:
    store(project, SECRET)
    params = project.case("club", {"events": EVENTS}, public=False, prepare={"key_id": KEY_ID})
    ids = pq.read_table(prepare(params, "club") / "ids.parquet").to_pylist()
    expected = [
        hmac.new(SECRET.encode(), i.encode("utf-8"), hashlib.sha256).hexdigest() for i in ("bob-1", "änn-7")
    ]
    assert ids == [{"member": n, "pseudonym": p} for n, p in enumerate(expected)]


def test_a_public_case_uses_the_published_key(project) -> None:
    params = project.case("shop", {"events": EVENTS})
    [first, _] = pq.read_table(prepare(params, "shop") / "ids.parquet")["pseudonym"].to_pylist()
    assert first == hmac.new(PUBLISHED_KEY, b"bob-1", "sha256").hexdigest()


def test_the_variable_goes_before_the_file(project, monkeypatch) -> None:
    store(project, OTHER)
    monkeypatch.setenv("SOJOURN_KEY", SECRET)
    assert find_key("club", private=True, key_id=KEY_ID) == Key(SECRET.encode())


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            (None, None, None),
            (
                "'key_id' is missing from cases.club.prepare: a private case names its key's fingerprint. "
                "Make a key with `python -m sojourn.data.pseudonyms`."
            ),
        ),
        (
            (KEY_ID, None, None),
            (
                f"The key of cases.club is not there: neither private/keys/{KEY_ID}.key nor "
                "the variable SOJOURN_KEY exists. Copy the key there; without it pseudonyms cannot be made."
            ),
        ),
        (
            (KEY_ID, OTHER, None),
            (
                f"Wrong key for cases.club: private/keys/{KEY_ID}.key has the fingerprint {OTHER_ID}, "
                f"the parameters say key_id: {KEY_ID}. Use that key, or state the new fingerprint."
            ),
        ),
        (
            (KEY_ID, SECRET, OTHER),
            (
                f"Wrong key for cases.club: SOJOURN_KEY has the fingerprint {OTHER_ID}, "
                f"the parameters say key_id: {KEY_ID}. Use that key, or state the new fingerprint."
            ),
        ),
        ((KEY_ID, None, "short"), "The key in SOJOURN_KEY has 5 bytes; a key needs at least 16."),
    ],
)
def test_a_key_that_does_not_fit_is_an_error(project, monkeypatch, bad, message) -> None:
    key_id, stored, variable = bad
    if stored:
        store(project, stored)
    if variable:
        monkeypatch.setenv("SOJOURN_KEY", variable)
    with pytest.raises(ParameterError) as raised:
        find_key("club", private=True, key_id=key_id)
    assert str(raised.value) == message


def test_a_public_case_may_not_name_another_key() -> None:
    with pytest.raises(ParameterError, match="the published key of public cases has the fingerprint"):
        find_key("shop", private=False, key_id=KEY_ID)


def test_a_key_shows_its_fingerprint_only() -> None:
    assert SECRET not in repr(Key(SECRET.encode()))
    assert Key(SECRET.encode()).key_id == KEY_ID


def test_a_new_key_is_found_again_and_only_its_owner_may_read_it(project) -> None:
    key_id = new_key()
    path = project.root / "private" / "keys" / f"{key_id}.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert find_key("club", private=True, key_id=key_id).key_id == key_id


def test_the_command_makes_a_key_and_prints_its_fingerprint_only(project) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "sojourn.data.pseudonyms"],
        env={**os.environ, "SOJOURN_ROOT": str(project.root)},
        capture_output=True,
        text=True,
        check=True,
    )
    [path] = (project.root / "private" / "keys").iterdir()
    assert made.stdout == f"key_id: {path.stem}\n"


def test_the_key_is_nowhere_in_what_prepare_writes_or_says(project, capfd) -> None:
    store(project, SECRET)
    params = project.case("club", {"events": EVENTS}, public=False, prepare={"key_id": KEY_ID})
    made = prepare(params, "club")
    assert all(SECRET.encode() not in path.read_bytes() for path in made.iterdir())
    assert SECRET not in "".join(capfd.readouterr())
