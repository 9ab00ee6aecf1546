"""Bad worlds: an export with exactly one of the faults that real exports have, for tests of the door."""

from sojourn.world.bad.corrupt import FAULTS, Planted, corrupt, export
from sojourn.world.bad.fault import Fault

__all__ = ["FAULTS", "Fault", "Planted", "corrupt", "export"]
