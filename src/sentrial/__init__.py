"""Sessions, tool calls, decisions and model calls of AI agents, as OpenTelemetry spans."""

from sentrial._version import __version__
from sentrial.client import SentrialClient
from sentrial.interaction import Interaction
from sentrial.process import begin, configure, flush, shutdown, stats

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
