"""Which scheme is told of."""

from __future__ import annotations

from sojourn.core.ranges import one_of
from sojourn.core.results.trials import Trial


def told_of(trial: Trial, scheme: str | None) -> str:
    """Return the scheme that is asked for, none where none is.

    Raises
    ------
    ParameterError
        When the trial has no such scheme, or it is control.
    """
    return "" if scheme is None else one_of(scheme, "scheme", trial.schemes[1:])
