"""Smooth rivals of a segmentation: principal components, or one curve per feature, summed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.core.results.segments import Floats

#: Quantiles at which a curve may bend (Harrell 2015, table 2.3: five knots).
KNOTS = (0.05, 0.275, 0.5, 0.725, 0.95)

#: A single value held by this share of members gets a level of its own (zero-inflated features).
ATOM = 0.1

_PENALTIES = np.logspace(-2, 4, 25)


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Basis of one feature: a natural cubic spline, and a level for every heavily tied value.

    Attributes
    ----------
    knots : array
        Where the spline bends; fewer than three make it a straight line.
    atoms : array
        Tied values.
    """

    knots: Floats
    atoms: Floats

    def columns(self, values: Floats) -> Floats:
        """Return the basis at `values`, one row each."""
        bends = _natural(values, self.knots) if len(self.knots) > 2 else []
        return np.column_stack([values, *bends, *(values == atom for atom in self.atoms)]).astype(np.float64)


def curve(values: Floats) -> Curve:
    """Return the basis that suits a feature: atoms first, knots at quantiles of the rest."""
    levels, counts = np.unique(values, return_counts=True)
    atoms = levels[counts > ATOM * len(values)]
    rest = values[~np.isin(values, atoms)]
    knots = np.unique(np.quantile(rest, KNOTS)) if len(rest) else atoms
    return Curve(knots, atoms)


def _natural(values: Floats, knots: Floats) -> list[Floats]:
    """Return the non-linear columns of a restricted cubic spline (Harrell 2015, eq. 2.25)."""

    def cube(knot: float) -> Floats:
        return np.asarray(np.maximum(values - knot, 0) ** 3, dtype=np.float64)

    last, before = knots[-1], knots[-2]
    scale = (last - knots[0]) ** 2
    return [
        (cube(t) - cube(before) * (last - t) / (last - before) + cube(last) * (before - t) / (last - before))
        / scale
        for t in knots[:-2]
    ]


def smooth_predictions(x: Floats, y: Floats, others: Floats) -> Floats:
    """Return what additive splines fitted on (`x`, `y`) predict for `others`.

    Parameters
    ----------
    x : array (n, p)
        Features of the members that fit.
    y : array (n, q)
        Their outcomes.
    others : array (m, p)
        Features of the members that judge.

    Returns
    -------
    array (m, q)

    Notes
    -----
    Ridge regression on the standardised basis; its penalty minimises the leave-one-out error per outcome.
    """
    from sklearn.linear_model import RidgeCV

    curves = [curve(column) for column in x.T]
    basis, new = _basis(curves, x), _basis(curves, others)
    mean, spread = basis.mean(axis=0), basis.std(axis=0) + 1e-12
    model = RidgeCV(_PENALTIES, alpha_per_target=True).fit((basis - mean) / spread, y)
    return np.asarray(model.predict((new - mean) / spread), dtype=np.float64).reshape(len(others), -1)


def simple_predictions(x: Floats, y: Floats, others: Floats, df: int) -> Floats:
    """Return what a smooth model of `df` degrees of freedom per outcome, and a level, predicts for `others`.

    Parameters
    ----------
    x : array (n, p)
        Features of the members that fit.
    y : array (n, q)
        Their outcomes.
    others : array (m, p)
        Features of the members that judge.
    df : int
        Columns of the model besides the level.

    Notes
    -----
    One of two designs, whichever has the smaller leave-one-out error over the members that fit, outcomes in
    units of their variance: the first components, linearly, of which groups are the discrete counterpart
    [1]_; or one natural cubic spline of the first component alone, its knots at equal shares of members.
    With fewer features than `df` the first has fewer columns.

    .. [1] Ding & He (2004), K-means clustering via principal component analysis, ICML.
    """
    lines = [components(x, df, rows) for rows in (x, others)]
    score = [line[:, 0] for line in lines]
    knots = np.unique(np.quantile(score[0], np.linspace(0.05, 0.95, df + 1)))
    bent = [
        np.column_stack([one, *_natural(one, knots)]) if len(knots) > 2 else one[:, None] for one in score
    ]
    errors = [_left_out(design[0], y) for design in (lines, bent)]
    fitted, new = (lines, bent)[int(errors[1] < errors[0])]
    return least_squares(fitted, y, new)


def _left_out(x: Floats, y: Floats) -> float:
    """Return the mean leave-one-out error of least squares, in units of the outcomes' variances."""
    design = np.column_stack([np.ones(len(x)), x])
    q = np.linalg.qr(design)[0]
    rest = (y - q @ (q.T @ y)) / (1 - (q**2).sum(axis=1))[:, None]
    return float(((rest**2).mean(axis=0) / np.maximum(y.var(axis=0), 1e-12)).mean())


def components(x: Floats, df: int, others: Floats | None = None) -> Floats:
    """Return the first `df` principal components of `x`, for its own rows or for `others`."""
    values = x if others is None else others
    vectors: Floats = np.linalg.eigh(np.atleast_2d(np.cov(x.T)))[1][:, ::-1]
    return np.asarray(values @ vectors[:, :df], dtype=np.float64)


def least_squares(x: Floats, y: Floats, others: Floats) -> Floats:
    """Return what a linear model (with intercept) of `y` on `x` predicts for `others`."""
    design = np.column_stack([np.ones(len(x)), x])
    weights = np.linalg.lstsq(design, y, rcond=None)[0]
    return np.asarray(np.column_stack([np.ones(len(others)), others]) @ weights, dtype=np.float64)


def _basis(curves: list[Curve], x: Floats) -> Floats:
    return np.column_stack([c.columns(column) for c, column in zip(curves, x.T, strict=True)])
