"""Sessions, tool calls, decisions and model calls of AI agents, as OpenTelemetry spans."""

from sentrial._version import __version__
from sentrial.client import SentrialClient, begin, configure, flush, shutdown, stats
from sentrial.interaction import Interaction

__all__ = [
    "Interaction",
    "SentrialClient",
    "__version__",
    "begin",
    "configure",
    "flush",
    "shutdown",
    "stats",
]
