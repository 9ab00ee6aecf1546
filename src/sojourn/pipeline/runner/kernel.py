"""The kernel's connection: sockets in the file system, so nothing listens on a port."""

from __future__ import annotations

from jupyter_client.manager import AsyncKernelManager


class LocalKernelManager(AsyncKernelManager):
    """A kernel manager that talks over IPC instead of TCP; only this user can reach the kernel."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**{**settings, "transport": "ipc"})
