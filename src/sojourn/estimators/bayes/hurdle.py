"""Revenue of one scheme in three parts: who pays, how much, and what share of the money is refunded.

For one scheme, from sums over its members::

    pays ~ Bernoulli(rate)                     rate ~ Beta(1, 1)
    log(payment) ~ Normal(mu, sigma)           p(mu, sigma) proportional to 1 / sigma
    refunded money = share * paid money        share ~ Normal(ratio of sums, its sampling variance)
    revenue per member = rate * exp(mu + sigma^2 / 2) * (1 - share)

The posterior is drawn directly, not by a chain. It is as good as the log-normal law is: see
`sojourn.estimators.bayes.sizes`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.estimators.bayes.model import Floats

#: A log-normal law has two unknowns; with fewer payers nothing is left to judge it by.
LEAST_PAYERS = 3


@dataclass(frozen=True, slots=True)
class Spending:
    """Sums over the members of one scheme by bin of what they paid; bin 0 paid nothing.

    Attributes
    ----------
    edges : array (bins - 1,)
        Logarithms of the amounts between bins 1, 2, …; the first and the last bin are open.
    n : array (bins + 1,)
        Members, bin 0 first; whole numbers or what they are worth.
    paid, paid_sq, refunded, refunded_sq, cross : array (bins + 1,)
        Sums of payments, refunds (at least 0), their squares and their product.
    logs, logs_sq : float
        Sums over payers of the logarithm of the payment and of its square.
    """

    edges: Floats
    n: Floats
    paid: Floats
    paid_sq: Floats
    refunded: Floats
    refunded_sq: Floats
    cross: Floats
    logs: float
    logs_sq: float

    @property
    def members(self) -> float:
        """Members of the scheme."""
        return float(self.n.sum())

    @property
    def payers(self) -> float:
        """Members who paid something."""
        return float(self.n[1:].sum())

    def law(self) -> tuple[float, float]:
        """Return mean and standard deviation of the logarithm of a payment."""
        mean = self.logs / self.payers
        variance = (self.logs_sq - self.payers * mean**2) / (self.payers - 1)
        return mean, float(np.sqrt(max(variance, 0.0)))

    def refunded_share(self) -> tuple[float, float]:
        """Return the share of paid money that was refunded, and its standard error (ratio of two sums)."""
        paid, share = self.paid.sum(), self.refunded.sum() / self.paid.sum()
        residual = self.refunded_sq.sum() - 2 * share * self.cross.sum() + share**2 * self.paid_sq.sum()
        return float(share), float(np.sqrt(max(residual, 0.0)) / paid)

    def moments(self) -> tuple[float, float]:
        """Return mean revenue of a member (payments less refunds) and the variance of that mean."""
        n, total = self.members, self.paid.sum() - self.refunded.sum()
        square = self.paid_sq.sum() - 2 * self.cross.sum() + self.refunded_sq.sum()
        return float(total / n), float((square / n - (total / n) ** 2) / (n - 1))


@dataclass(frozen=True, slots=True)
class Parts:
    """Posterior draws of the three parts of revenue, each (draws,).

    Attributes
    ----------
    rate : array
        Share of members who pay.
    size : array
        Mean payment of one who pays.
    kept : array
        Share of paid money that is not refunded.
    """

    rate: Floats
    size: Floats
    kept: Floats

    @property
    def revenue(self) -> Floats:
        """Revenue per member, less refunds."""
        return self.rate * self.size * self.kept


def draw_hurdle(spending: Spending, size: int, *, rng: np.random.Generator) -> Parts:
    """Return posterior draws of the log-normal hurdle model.

    Parameters
    ----------
    spending : Spending
        One scheme; at least `LEAST_PAYERS` payers.
    size : int
        Draws.
    rng : Generator
        Source of the draws.

    Notes
    -----
    The mean of the law has no posterior expectation, so quantiles are to be read, not averages.
    """
    k, (mu, variance) = spending.payers, draw_law(spending, size, rng=rng)
    share, error = spending.refunded_share()
    return Parts(
        rate=rng.beta(1 + k, 1 + spending.members - k, size),
        size=np.exp(mu + variance / 2),
        kept=1 - np.maximum(share + error * rng.standard_normal(size), 0.0),
    )


def draw_law(spending: Spending, size: int, *, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return posterior draws of mean and variance of the logarithm of a payment (size,).

    Notes
    -----
    With k payers, ``(k - 1) s^2 / sigma^2`` is chi-square with k - 1 degrees of freedom and mu given sigma is
    normal around the mean logarithm with variance ``sigma^2 / k`` (Zellner 1971, on the log-normal mean).
    """
    k, (mean, sd) = spending.payers, spending.law()
    variance = sd**2 * (k - 1) / rng.chisquare(k - 1, size)
    return mean + np.sqrt(variance / k) * rng.standard_normal(size), variance
