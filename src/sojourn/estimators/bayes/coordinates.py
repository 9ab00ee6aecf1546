"""Coordinates in which the model of this room is easy to sample: nearly standard normal, whatever is known.

Unknowns of the model are coupled: bases and lifts are known from the same cells, and deviations only as a
product with their scale. With many members that is a narrow ridge, with few a funnel. Both go away in
coordinates in which the normal approximation of the posterior is standard normal at every scale.

With ``t = tau / scale`` let ``x`` be bases and lifts in standard deviations of their prior, and deviations as
``t`` times standard normals, so that ``eta = offset + T x`` with a fixed T. Let the cells be seen as normal,
``y`` with precisions ``w``. Given t the precision of x is then ``P + (1 / t^2 - 1) E``, with P that at t = 1
and E the identity for deviations, 0 else. One map V makes both diagonal, ``V' P V = 1`` and
``V' E V = diag(k)``, and with ``s(t)^2 = t^2 / (t^2 (1 - k) + k)`` and ``g = V' T' w (y - offset)``::

    x = V (s(t)^2 g + s(t) u)        log p(u, t | cells) = - u'u / 2 + sum(s(t)^2 g^2) / 2 + sum(log s(t))
                                     - deviations log t + log p(t) + rest(eta)

where ``rest`` is what the log-likelihood differs from that of the normal cells. Nothing is approximated:
y and w only choose the coordinates. For values rest is 0, and u is standard normal and independent of t.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.estimators.bayes.laplace import mode_at
from sojourn.estimators.bayes.model import CellData, Floats, ModelPrior, make_design


@dataclass(frozen=True, slots=True)
class Coordinates:
    """From u and t to cells; names as in the head of this module.

    Attributes
    ----------
    offset, seen, weight : array (cells,)
        `offset`, y and w.
    to_cells : array (cells, unknowns)
        T V.
    kept : array (unknowns,)
        k: what share of a coordinate's precision, at t = 1, is the prior of deviations.
    pull : array (unknowns,)
        g.
    deviations : float
        How many coordinates belong to deviations.
    """

    offset: Floats
    seen: Floats
    weight: Floats
    to_cells: Floats
    kept: Floats
    pull: Floats
    deviations: float

    def eta(self, u: Floats, t: Floats) -> Floats:
        """Return cells (draws, cells) of draws of u (draws, unknowns) and t (draws,)."""
        square = t[:, None] ** 2
        variance = square / (square * (1 - self.kept) + self.kept)
        x = variance * self.pull + np.sqrt(variance) * u
        cells: Floats = self.offset + x @ self.to_cells.T
        return cells


def coordinates(data: CellData, prior: ModelPrior) -> Coordinates:
    """Return the coordinates for some cells and a prior, chosen at the mode of the model at t = 1."""
    design = make_design(data.shape[0], data.weights, prior)
    mode = mode_at(data, design, prior.scale, np.zeros(design.unknowns))
    to_cells = design.matrix(prior.scale)
    eta = design.offset + to_cells @ mode.z
    weight = data.weight(eta.reshape(data.shape)).ravel()
    seen = eta + data.slope(eta.reshape(data.shape)).ravel() / weight
    scaled = design.deviation.any(axis=0).astype(float)
    half = np.linalg.solve(mode.root, np.diag(scaled))
    kept, turn = np.linalg.eigh(half @ half.T)
    kept[: round((1 - scaled).sum())] = 0.0
    to_cells = to_cells @ np.linalg.solve(mode.root.T, turn)
    pull = to_cells.T @ (weight * (seen - design.offset))
    return Coordinates(design.offset, seen, weight, to_cells, np.clip(kept, 0, 1), pull, scaled.sum())
