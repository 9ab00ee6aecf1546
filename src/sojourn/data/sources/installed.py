"""Files inside an installed package, found without importing it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from sojourn.core.errors import DataError


def installed_file(package: str, name: str) -> Path:
    """Return the path of a file that a package brought along.

    Parameters
    ----------
    package : str
        Name under which the package is installed.
    name : str
        Path of the file inside it, with ``/``.

    Raises
    ------
    DataError
        When the package or the file is not there.
    """
    try:
        path = Path(str(distribution(package).locate_file(name)))
    except PackageNotFoundError:
        raise DataError(
            f"The package {package} is not installed, which holds {name}. Run `make setup`."
        ) from None
    if not path.is_file():
        raise DataError(
            f"The package {package} holds no file {name}. Install the version in requirements.lock."
        )
    return path
