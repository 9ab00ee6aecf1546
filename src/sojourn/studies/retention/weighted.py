"""Members who stand for others, read from cells."""

from __future__ import annotations

import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.errors import UndefinedError
from sojourn.core.joining import known_at_joining
from sojourn.estimators.survival.weighted import WeightedSpells


def read_spells(cells: Cells, by: str) -> dict[str, WeightedSpells]:
    """Return the weighted spells of every group of one grouping.

    Parameters
    ----------
    cells : Cells
        With a table ``weighted`` beside ``risk``, of the same members: ``by``, ``group``, ``entry`` (duration
        from which they are seen), ``day`` (at which observation ended), ``churned`` (1: by leaving, 0: not),
        ``members``, and the sums over them of ``weight`` and of the squared weight, ``squared``.
    by : str
        Grouping known at joining.

    Raises
    ------
    UndefinedError
        When these cells have no weights for it.
    """
    if "weighted" not in cells.tables:
        raise UndefinedError(
            f"The cells of {cells.case} have no table 'weighted': no member stands for others. "
            "Ask for `weights='frequency'`."
        )
    rows = cells["weighted"]
    known_at_joining(by, sorted(rows["by"].unique()), cells.meta.get("known_later"))
    return {str(group): _spells(of) for group, of in rows[rows["by"] == by].groupby("group")}


def _spells(rows: pd.DataFrame) -> WeightedSpells:
    columns = {name: rows[name].to_numpy() for name in ("entry", "day", "churned", "members")}
    return WeightedSpells(
        columns["entry"].astype(int),
        columns["day"].astype(int),
        columns["churned"].astype(bool),
        columns["members"].astype(int),
        rows["weight"].to_numpy(dtype=float),
        rows["squared"].to_numpy(dtype=float),
    )
