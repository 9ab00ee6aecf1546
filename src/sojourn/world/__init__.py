"""The simulated platform whose truth is known."""

from sojourn.world.catalogue import WORLDS, world_parameters
from sojourn.world.make import WORLD_KEYS, World, make_world
from sojourn.world.parameters import WorldParameters
from sojourn.world.truth.read import read_truth
from sojourn.world.truth.summary import Truth
from sojourn.world.write import write_world

__all__ = [
    "WORLDS",
    "WORLD_KEYS",
    "Truth",
    "World",
    "WorldParameters",
    "make_world",
    "read_truth",
    "world_parameters",
    "write_world",
]
