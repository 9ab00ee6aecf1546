"""Messages to members: a randomised programme, and a targeted campaign beside it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Medium:
    """One channel of messages.

    Attributes
    ----------
    name : str
        Name in `messages`.
    share : float
        Share of the programme's messages.
    cost : float
        Money spent on each.
    opened, clicked : float
        Probability that a message is opened, and that an opened one is clicked.
    opt_out : float
        Probability that a message makes the member refuse further ones of this channel.
    hazard, sessions : float
        Factors on the hazard of leaving and on sessions while a member is in its programme.
    """

    name: str
    share: float
    cost: float
    opened: float
    clicked: float
    opt_out: float
    hazard: float
    sessions: float


@dataclass(frozen=True, slots=True)
class Contact:
    """The programme of messages.

    Each member is held out of each channel by lot, for good. How many messages a week members get is drawn by
    lot too. Both begin when a member joins or observation begins, whichever is later.

    Attributes
    ----------
    media : tuple of Medium
        Channels.
    held_out : float
        Share of members held out of each channel, independently.
    cadence : tuple of (name, share, weekly)
        Mean number of messages a week, by lot.
    tires_above : int
        Number of the programme's messages a week above which each further one raises the hazard.
    tires : float
        Logarithm of that factor, per message.
    tired_opt_out : float
        Factor on the probability of opting out in such a week.
    keen : float
        How far opening follows satisfaction: logarithm of the factor per unit.
    care : float
        Probability that a member who is silent gets a message of the targeted campaign in a week. It has no
        effect at all, but goes to those who are about to leave.
    care_medium : str
        Its channel.
    """

    media: tuple[Medium, ...] = (
        Medium("push", 0.45, 0.001, 0.30, 0.20, 0.0040, 0.90, 1.15),
        Medium("e-mail", 0.30, 0.002, 0.25, 0.12, 0.0020, 0.95, 1.06),
        Medium("SMS", 0.10, 0.060, 0.60, 0.10, 0.0060, 0.92, 1.03),
        Medium("messaging app", 0.15, 0.020, 0.70, 0.35, 0.0030, 1.0, 1.0),
    )
    held_out: float = 0.1
    cadence: tuple[tuple[str, float, float], ...] = (
        ("light", 0.3, 0.4),
        ("normal", 0.5, 1.0),
        ("heavy", 0.2, 3.0),
    )
    tires_above: int = 2
    tires: float = 0.12
    tired_opt_out: float = 2.0
    keen: float = 0.2
    care: float = 0.5
    care_medium: str = "e-mail"
