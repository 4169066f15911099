"""Other libraries that trace, in one process with us: their environments, programs that have them, their far ends."""

from peers.environment import marks_of, python_of
from peers.vendor import Vendor

__all__ = ["Vendor", "marks_of", "python_of"]
