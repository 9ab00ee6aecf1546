"""A PostgreSQL server for tests: an unprivileged user's, in a folder of its own, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

#: Password of the user `sojourn`, who owns the database `shop`.
PASSWORD = "a p@ss:word/%"
_HOMES = ("/usr/lib/postgresql", "/usr/local/lib/postgresql", "/opt/homebrew/opt/postgresql")
#: Who may run the server where tests run as root, which PostgreSQL refuses.
_USERS = ("postgres", "nobody")


def binaries() -> Path | None:
    """Return the folder of `initdb` and `postgres`, None where there is no server."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    for home in _HOMES:
        found += sorted(Path(home).glob("*/bin"), reverse=True) if Path(home).is_dir() else []
    return next(
        (path for path in found if (path / "postgres").is_file() and (path / "initdb").is_file()), None
    )


@dataclass(frozen=True, slots=True)
class Server:
    """A running server.

    Attributes
    ----------
    folder : Path
        Of its unix socket.
    port : int
        Of the socket; it listens to no network.
    """

    folder: Path
    port: int

    def url(self, user: str = "sojourn", database: str = "shop") -> str:
        """Return the URL of a database, without a password."""
        return f"postgresql://{user}@/{database}?host={quote(str(self.folder), safe='')}&port={self.port}"

    def connect(self, user: str = "sojourn", database: str = "shop") -> Any:
        """Return a connection of psycopg that commits at once."""
        import psycopg

        return psycopg.connect(
            host=str(self.folder),
            port=self.port,
            user=user,
            dbname=database,
            password=PASSWORD,
            autocommit=True,
        )


@contextmanager
def running(port: int = 54_321) -> Iterator[Server]:
    """Run a server that asks for passwords, with the database `shop` of the user `sojourn`."""
    home = binaries()
    if home is None:
        raise FileNotFoundError("no PostgreSQL server is installed")
    # a short path: that of a socket may have 107 bytes
    with tempfile.TemporaryDirectory(prefix="pg.", dir="/tmp", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        user = _unprivileged(folder)
        _initialised(home, folder, user)
        settings = {
            "listen_addresses": "",
            "port": port,
            "unix_socket_directories": folder,
            "fsync": "off",
            "shared_buffers": "16MB",
            "max_connections": 20,
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        control = [str(home / "pg_ctl"), "-D", str(folder / "data"), "-w", "-t", "60"]
        _run([*control, "-l", str(folder / "log"), "-o", options, "start"], user)
        try:
            server = Server(folder, port)
            with server.connect("postgres", "postgres") as connection:
                connection.execute(f"CREATE ROLE sojourn LOGIN PASSWORD '{PASSWORD}'")
                connection.execute("CREATE DATABASE shop OWNER sojourn")
            yield server
        finally:
            _run([*control, "-m", "immediate", "stop"], user)


def _unprivileged(folder: Path) -> str | None:
    """Give a folder to a user who is not root, and return who; None where the tests do not run as root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    user = next(name for name in _USERS if name in known)
    shutil.chown(folder, user)
    folder.chmod(0o700)
    return user


def _initialised(home: Path, folder: Path, user: str | None) -> None:
    secret = folder / "secret"
    secret.write_text(PASSWORD, encoding="utf-8")
    secret.chmod(0o644)
    made = ["--auth=scram-sha-256", f"--pwfile={secret}", "--username=postgres", "--encoding=UTF8"]
    _run([str(home / "initdb"), "-D", str(folder / "data"), *made, "--locale=C", "--no-sync"], user)


def _run(command: list[str], user: str | None) -> None:
    """Run a command as a user; as ourselves where none is named."""
    subprocess.run(command, user=user, check=True, capture_output=True, cwd="/", timeout=120)
