"""A rule that was taken away as a pipeline of scikit-learn: counts in, names of segments out."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.pipeline import Pipeline

from sojourn.core.results.segments import Floats
from sojourn.core.results.take_away import TakeAway


def pipeline_of(rule: TakeAway) -> Pipeline:
    """Return the rule as a pipeline of scikit-learn.

    Parameters
    ----------
    rule : TakeAway
        The rule.

    Returns
    -------
    Pipeline
        ``predict`` takes a DataFrame with the columns `TakeAway.inputs` and returns the names of segments,
        None where a member has none; it needs no ``fit``. Steps: ``measures`` and ``segments``.
    """
    return Pipeline([("measures", Measures(rule)), ("segments", Segments(rule))])


class Measures(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Turns counts into the measures that a rule compares.

    Parameters
    ----------
    rule : TakeAway
        The rule.
    """

    def __init__(self, rule: TakeAway) -> None:
        self.rule = rule

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:  # noqa: ARG002, N803 (scikit-learn's own)
        """Return itself: there is nothing to learn."""
        return self

    def transform(self, X: pd.DataFrame) -> Floats:  # noqa: N803
        """Return the measures, one column each; not a number for members without a segment."""
        return self.rule.measured(X)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Return the names of the measures."""
        return np.array([measure.name for measure in self.rule.measures], dtype=np.object_)

    def __sklearn_is_fitted__(self) -> bool:
        return True


class Segments(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Turns measures into names of segments.

    Parameters
    ----------
    rule : TakeAway
        The rule.
    """

    def __init__(self, rule: TakeAway) -> None:
        self.rule = rule

    @property
    def classes_(self) -> NDArray[np.object_]:
        """Names of segments, in the order of the rule."""
        return np.array(self.rule.segments, dtype=np.object_)

    def fit(self, X: Floats, y: Any = None) -> Self:  # noqa: ARG002, N803
        """Return itself: there is nothing to learn."""
        return self

    def predict(self, X: Floats) -> NDArray[np.object_]:  # noqa: N803
        """Return the name of every member's segment; None where there is none."""
        return self.rule.called(self.rule.decided(np.asarray(X, dtype=np.float64)))

    def __sklearn_is_fitted__(self) -> bool:
        return True
