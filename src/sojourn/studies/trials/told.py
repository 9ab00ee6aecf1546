"""Which scheme is told of, and why a table is not."""

from __future__ import annotations

from sojourn.core.ranges import one_of
from sojourn.core.results.trials import Trial


def not_told(trial: Trial, table: str, what: str, otherwise: str) -> str:
    """Return why a table of the cells is not there: a private case withholds it, or otherwise.

    Parameters
    ----------
    trial : Trial
        Its cells name what is withheld.
    table : str
        Name of the table.
    what : str
        What it holds, as ``A private case does not tell`` goes on.
    otherwise : str
        The sentence for cells that never had it.
    """
    return f"A private case does not tell {what}." if table in trial.meta.get("withheld", ()) else otherwise


def told_of(trial: Trial, scheme: str | None) -> str:
    """Return the scheme that is asked for, none where none is.

    Raises
    ------
    ParameterError
        When the trial has no such scheme, or it is control.
    """
    return "" if scheme is None else one_of(scheme, "scheme", trial.schemes[1:])
