"""The class of a machine: what has to be equal for two runs to give the same bytes."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from pathlib import Path

from sojourn.core.project import root

#: Set before numpy is loaded: these change last bits between processors (DESIGN 6).
STEADY: dict[str, str] = {
    "PYTHONHASHSEED": "0",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Haswell",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    "SOURCE_DATE_EPOCH": "0",
    "DVC_NO_ANALYTICS": "1",
}


def steady_environment(project: Path | None = None) -> dict[str, str]:
    """Return the environment of every stage: the caller's, with what must be steady set.

    Compiled models and the kernel's own files go into ``.sojourn`` of the project, so nothing depends
    on what stands in a home directory.

    Parameters
    ----------
    project : Path, optional
        The project whose code and parameters are used; by default the one this code stands in.
    """
    project = project or root()
    private = project / ".sojourn"
    (private / "ipython").mkdir(parents=True, exist_ok=True)  # IPython warns where it cannot make it
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")},
        **STEADY,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(project / "src"),
        "SOJOURN_ROOT": str(project),
        "PYTENSORRC": os.devnull,
        "PYTENSOR_FLAGS": f"base_compiledir={private / 'pytensor'},floatX=float64",
        "NUMBA_CACHE_DIR": str(private / "numba"),
        "MPLCONFIGDIR": str(private / "matplotlib"),
        "IPYTHONDIR": str(private / "ipython"),
        "JUPYTER_CONFIG_DIR": str(private / "jupyter"),
        "JUPYTER_PREFER_ENV_PATH": "1",
    }


def is_steady() -> bool:
    """Whether this process was started with what must be steady."""
    return all(os.environ.get(name) == value for name, value in STEADY.items())


def machine_class() -> dict[str, str]:
    """Return what names this class of machine: architecture, vector level, system, Python, lock.

    Returns
    -------
    dict
        Compared as a whole by `sojourn verify`.
    """
    return {
        "architecture": platform.machine(),
        "vectors": _vector_level(),
        "system": platform.system(),
        "libc": "-".join(platform.libc_ver()[:1]) or "unknown",
        "python": ".".join(platform.python_version_tuple()[:2]),
        "lock": lock_hash(),
    }


def lock_hash() -> str:
    """Return a hash of requirements.lock, 12 hex digits."""
    return hashlib.sha256((root() / "requirements.lock").read_bytes()).hexdigest()[:12]


def _vector_level() -> str:
    """Return ``avx2`` where the processor has it (and so every later one), else ``base``."""
    listed = Path("/proc/cpuinfo")
    if listed.is_file():
        return "avx2" if " avx2 " in listed.read_text(encoding="utf-8", errors="replace") else "base"
    return "unknown"
