"""Draw a platform of any size into a folder, and say what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def draw_world(folder: Path, **asked: Any) -> None:
    """Draw a world into a folder and print its tables, where its truth is, and what to do next.

    Parameters
    ----------
    folder : Path
        Made when absent; an earlier world in it is replaced.
    **asked
        As for `sojourn.world.write_world`.

    Raises
    ------
    ParameterError
        When a value is out of its range.
    DataError
        When the folder holds anything but a world.
    """
    from sojourn.data.parts import rows_of
    from sojourn.world import write_world

    made = write_world(folder, **asked)
    truth = made.pop("truth")
    width = max(len(str(path)) for path in made.values())
    for path in made.values():
        print(f"{path!s:{width}}  {rows_of(path):>15,} rows  {_bytes(path) / 1e6:>11,.1f} MB")
    print(f"The truth stands in {truth} and in the tables below {truth.with_suffix('')}.")
    print(
        "Next: name these folders as `tables` of a case of your own (README, Bring your own data). "
        "Or give a case `source: world` with the same values, as the case `demo` has it: "
        "it draws the same platform, and its pages show the truth beside the estimates."
    )


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())
