"""Protection of all cells of retention."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from sojourn.core.privacy import coarse
from sojourn.data.protection import retention
from sojourn.data.protection.retention_lens import protect_definitions
from sojourn.data.protection.retention_moves import (
    protect_away,
    protect_moves,
    protect_reasons,
    protect_spans,
)
from sojourn.data.protection.retention_patterns import patterns_kept, protect_exam, protect_patterns

#: How tables are protected that need nothing but themselves.
_ALONE: Mapping[str, Callable[[pd.DataFrame, int], pd.DataFrame]] = {
    "away": protect_away,
    "landmark": protect_spans,
    "patterns": protect_patterns,
    "exam": protect_exam,
}


def protect(
    tables: Mapping[str, pd.DataFrame], meta: Mapping[str, Any], base: int
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Return protected tables, and what the cells say of themselves.

    ``patterns_kept`` says which share of members is in patterns that are shown.
    """
    made, said = retention.protect(tables, meta, base)
    made |= {name: protected(tables[name], base) for name, protected in _ALONE.items() if name in tables}
    if "moves" in tables:
        made["moves"] = protect_moves(tables["moves"], tables["risk"], made["risk"], base)
    if "reasons" in tables:
        made["reasons"] = protect_reasons(tables["reasons"].query("by == 'all'"), made["risk"], base)
    if "patterns" in made:
        said["patterns_kept"] = patterns_kept(made["patterns"], made["risk"])
    if "patterns" in said:
        said["patterns"] = {**said["patterns"], "found": coarse(said["patterns"]["found"], base)}
    return made | protect_definitions(tables, meta, base), said
