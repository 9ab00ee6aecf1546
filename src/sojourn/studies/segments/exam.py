"""The exam that decides: whether groups predict what members do next better than their rivals do."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sojourn.core.errors import UndefinedError
from sojourn.core.normal import standard_errors
from sojourn.core.results.segments import CEILING, OURS, RFM, SMOOTH, Features, Floats, Ints, Rule
from sojourn.estimators.cluster.smooth import simple_predictions, smooth_predictions
from sojourn.studies.segments.forming import symmetric_log
from sojourn.studies.segments.rfm import rfm_bands

#: An outcome that this share of members or more have in common is not examined.
NEARLY_ALL = 0.98

#: Rivals of equal degrees of freedom, of which one must be beaten. The ceiling is only shown.
RIVALS = (RFM, SMOOTH)


def exam_table(found: Features, rule: Rule, *, mass: float) -> pd.DataFrame:
    """Return how much better a segmentation predicts the next period than each rival, out of sample.

    Parameters
    ----------
    found : Features
        Members that fit teach all models; the others judge them.
    rule : NearestCentre or ScoreBands
        The segmentation.
    mass : float
        Mass of the interval of the gain.

    Returns
    -------
    DataFrame
        As `Segmentation.exam`. Errors are squared, in units of the outcome's variance, and averaged.

    Notes
    -----
    k groups spend k - 1 degrees of freedom per outcome, and so do the rivals: the RFM score in k bands of
    equal size, and a smooth model of the same features (`simple_predictions`). The ceiling is an additive
    spline model of all features with a ridge penalty, which may spend as many as it likes.

    What is claimed. Groups pass if they beat one of the two rivals with the whole interval: "the smooth model
    or the RFM grid at equal degrees of freedom". So to pass does not say that groups tell more than a score
    does: where the smooth rival or the ceiling is better, the page says that too (`check_segments`).

    What is not seen. Features end at the cut and outcomes begin after it; all models are taught by members
    that fit and judged by others, whose outcomes enter nothing else. Both halves live through the same
    period: what is examined is whether members can be told apart by what they will do, not whether the same
    will hold a year later.
    """
    y, truth = (examined(found)[part] for part in (found.fit, ~found.fit))
    errors = {name: _errors(truth, guess) for name, guess in _predictions(found, rule, y).items()}
    z = standard_errors(mass)
    return pd.DataFrame([_row(name, errors[name], errors[OURS], z) for name in errors])


def _predictions(found: Features, rule: Rule, y: Floats) -> dict[str, Floats]:
    """Return what each model, taught by the members that fit, says of those that judge."""
    taught, judged = found.x[found.fit], found.x[~found.fit]
    bands = rfm_bands(found, rule.k)
    return {
        OURS: group_means(rule.assign(taught), y, rule.assign(judged), rule.k),
        RFM: group_means(bands[found.fit], y, bands[~found.fit], rule.k),
        SMOOTH: simple_predictions(taught, y, judged, rule.k - 1),
        CEILING: smooth_predictions(taught, y, judged),
    }


def _row(rival: str, theirs: Floats, ours: Floats, z: float) -> dict[str, object]:
    better = theirs - ours
    gain, reach = float(better.mean()), z * float(better.std()) / np.sqrt(len(better))
    return {
        "rival": rival,
        "explained": 1 - float(theirs.mean()),
        "gain": gain,
        "gain_low": gain - reach,
        "gain_high": gain + reach,
        "beaten": gain - reach > 0,
    }


def passed(exam: pd.DataFrame) -> bool:
    """Return whether a rival of equal degrees of freedom was beaten, with the whole interval."""
    return bool(exam.loc[exam["rival"].isin(RIVALS), "beaten"].any())


def better_scores(exam: pd.DataFrame) -> tuple[str, ...]:
    """Return which scores, as simple or free, clearly tell more than the segmentation does."""
    scores = exam["rival"].isin((SMOOTH, CEILING)) & (exam["gain_high"] < 0)
    return tuple(exam.loc[scores, "rival"])


def examined(found: Features) -> Floats:
    """Return the outcomes that are examined, one column each, on a scale without heavy tails.

    Raises
    ------
    UndefinedError
        When all members did the same.
    """
    after = found.next
    spend = after["spend"].to_numpy(dtype=np.float64)
    paid = np.abs(spend[found.fit & (spend != 0)])
    columns = [
        after["active"].to_numpy(dtype=np.float64),
        after["stayed"].to_numpy(dtype=np.float64),
        np.log1p(after["active_days"].to_numpy(dtype=np.float64)),
        symmetric_log(spend, float(np.median(paid)) if len(paid) else 0.0),
    ]
    kept = [column for column in columns if _told_apart(column)]
    if not kept:
        raise UndefinedError(
            f"Nearly all members of {found.case} did the same after the cut, so no segmentation can be "
            "examined. Choose longer `outcome_days`."
        )
    return np.column_stack(kept)


def group_means(labels: Ints, y: Floats, others: Ints, k: int) -> Floats:
    """Return for `others` the mean outcome of their group; the mean of all where a group taught nothing."""
    sizes = np.bincount(labels, minlength=k)
    sums = np.column_stack([np.bincount(labels, column, minlength=k) for column in y.T])
    means = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], y.mean(axis=0))
    return np.asarray(means[others], dtype=np.float64)


def group_errors(found: Features, labels: Ints, k: int) -> Floats:
    """Return the errors for members that judge, of who knows only their group, as the exam has them."""
    y, truth = (examined(found)[part] for part in (found.fit, ~found.fit))
    return _errors(truth, group_means(labels[found.fit], y, labels[~found.fit], k))


def _told_apart(column: Floats) -> bool:
    return float(np.unique(column, return_counts=True)[1].max()) <= NEARLY_ALL * len(column)


def _errors(truth: Floats, predicted: Floats) -> Floats:
    """Return per member the squared error in units of the outcomes' variances, averaged over outcomes."""
    variance = np.maximum(truth.var(axis=0), 1e-12)
    errors: Floats = ((truth - predicted) ** 2 / variance).mean(axis=1)
    return errors
