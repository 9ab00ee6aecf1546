"""The kernel's connection: sockets in the file system, so nothing listens on a port."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager


class LocalKernelManager(AsyncKernelManager):
    """A kernel manager that talks over IPC instead of TCP; only this user can reach the kernel.

    Its sockets stand in a folder of their own: by default they would stand in the working directory, under
    the same names for every kernel, and two runs at once would hear each other.
    """

    def __init__(self, **settings: object) -> None:
        folder = tempfile.mkdtemp(prefix="sojourn-kernel-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        super().__init__(**{**settings, "transport": "ipc", "ip": str(Path(folder) / "socket")})
