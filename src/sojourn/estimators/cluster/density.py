"""Density clustering: crowds of members, and members who belong to none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.core.results.segments import Floats, Ints

#: How many neighbours make a place dense.
_NEIGHBOURS = 15


@dataclass(frozen=True, slots=True, eq=False)
class Crowds:
    """Rows with the crowd each belongs to; any other row belongs where its nearest one does.

    Attributes
    ----------
    x : array (n, p)
        The rows that made the crowds.
    labels : array (n,)
        Their crowds, from 0; -1 for rows of none.
    """

    x: Floats
    labels: Ints

    @property
    def k(self) -> int:
        """Number of crowds."""
        return int(self.labels.max()) + 1

    def assign(self, x: Floats) -> Ints:
        """Return the crowd of the nearest row, for every row."""
        from scipy.spatial import cKDTree

        nearest: Ints = self.labels[cKDTree(self.x).query(x)[1]]
        return nearest


def crowds(x: Floats, smallest: float) -> Crowds:
    """Return the crowds of HDBSCAN.

    Parameters
    ----------
    x : array (n, p)
        Standardised features.
    smallest : float
        Share of the rows (0-1) that make a crowd.

    Notes
    -----
    Campello, Moulavi & Sander (2013), Density-based clustering based on hierarchical density estimates; the
    number of crowds is found by excess of mass. One crowd with noise around it is none.
    """
    from sklearn.cluster import HDBSCAN

    size = max(int(smallest * len(x)), 2)
    model = HDBSCAN(min_cluster_size=size, min_samples=_NEIGHBOURS, copy=True)
    return Crowds(x, np.asarray(model.fit(x).labels_, dtype=np.int64))
