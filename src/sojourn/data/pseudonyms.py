"""Pseudonyms: HMAC-SHA-256 of distinct ids, made in Python so that no key enters the engine.

A shipped case is published data and uses a published key. A private case names the fingerprint `key_id` of
its own key in its parameters; the key itself stands in ``private/keys/KEY_ID.key`` or in ``SOJOURN_KEY``.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field

from sojourn.core.errors import ParameterError
from sojourn.core.folder import PRIVATE_FILE, PRIVATE_FOLDER
from sojourn.core.project import root

#: The key of every public case. It protects nothing, and need not: their rows are published.
PUBLISHED_KEY = b"sojourn: published data, published key"

_ENVIRONMENT = "SOJOURN_KEY"
_SHORTEST = 16


@dataclass(frozen=True, slots=True)
class Key:
    """A key that shows its fingerprint only.

    Attributes
    ----------
    secret : bytes
        The key; never printed.
    """

    secret: bytes = field(repr=False)

    @property
    def key_id(self) -> str:
        """Fingerprint: the first eight hex digits of the key's SHA-256."""
        return hashlib.sha256(self.secret).hexdigest()[:8]

    def pseudonym(self, identifier: str) -> str:
        """Return the pseudonym of an id: 64 hex digits."""
        return hmac.digest(self.secret, identifier.encode(), "sha256").hex()


def find_key(case: str, *, private: bool, key_id: str | None) -> Key:
    """Return the key of a case.

    Parameters
    ----------
    case : str
        Name of the case.
    private : bool
        Whether it is private; a public case uses the published key.
    key_id : str or None
        Fingerprint as the case's parameters state it.

    Raises
    ------
    ParameterError
        When a private case states no fingerprint, the key is not there, or its fingerprint is another one.
    """
    if not private:
        return _fitting(Key(PUBLISHED_KEY), key_id, case, "the published key of public cases")
    if key_id is None:
        raise ParameterError(
            f"'key_id' is missing from cases.{case}.prepare: a private case names its key's fingerprint. "
            "Make a key with `python -m sojourn.data.pseudonyms`."
        )
    stated = os.environ.get(_ENVIRONMENT)
    if stated is not None:
        return _fitting(_long_enough(stated.encode(), _ENVIRONMENT), key_id, case, _ENVIRONMENT)
    place = f"private/keys/{key_id}.key"
    path = root() / place
    if not path.is_file():
        raise ParameterError(
            f"The key of cases.{case} is not there: neither {place} nor the variable {_ENVIRONMENT} exists. "
            "Copy the key there; without it pseudonyms cannot be made."
        )
    return _fitting(_long_enough(path.read_bytes().strip(), place), key_id, case, place)


def new_key() -> str:
    """Make a key for a private case below ``private/keys/`` and return its fingerprint `key_id`."""
    secret = secrets.token_hex(32)
    key_id = Key(secret.encode()).key_id
    folder = root() / "private" / "keys"
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    path = folder / f"{key_id}.key"
    path.touch(mode=PRIVATE_FILE, exist_ok=False)
    path.write_text(secret + "\n", encoding="utf-8")
    return key_id


def _long_enough(secret: bytes, where: str) -> Key:
    if len(secret) < _SHORTEST:
        raise ParameterError(f"The key in {where} has {len(secret)} bytes; a key needs at least {_SHORTEST}.")
    return Key(secret)


def _fitting(key: Key, key_id: str | None, case: str, where: str) -> Key:
    if key_id is not None and key.key_id != key_id:
        raise ParameterError(
            f"Wrong key for cases.{case}: {where} has the fingerprint {key.key_id}, "
            f"the parameters say key_id: {key_id}. Use that key, or state the new fingerprint."
        )
    return key


if __name__ == "__main__":
    print(f"key_id: {new_key()}")  # noqa: T201 (this line is what the command is for)
