"""Readers of other makers, as processes, and the program whose sessions they are shown."""

from real_readers.kept import Kept
from real_readers.phoenix import Phoenix, PhoenixMissingError
from real_readers.running import SPANS, run_shop

__all__ = ["SPANS", "Kept", "Phoenix", "PhoenixMissingError", "run_shop"]
