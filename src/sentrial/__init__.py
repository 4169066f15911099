"""Sessions, tool calls, decisions and model calls of AI agents, as OpenTelemetry spans."""

from sentrial._version import __version__
from sentrial.aio import AsyncInteraction, AsyncSentrialClient, begin_async, configure_async
from sentrial.batching import BatcherConfig
from sentrial.client import SentrialClient
from sentrial.current import (
    clear_session_context,
    get_current_client,
    get_current_interaction,
    get_current_session_id,
    get_session_context,
    set_session_context,
)
from sentrial.decorators import decision, get_session_entry_points, session, tool
from sentrial.diagnosis import doctor
from sentrial.events import EventType
from sentrial.interaction import Interaction
from sentrial.otel import SentrialSpanProcessor, setup_otel_tracing
from sentrial.process import attach, begin, configure, flush, resume, shutdown, stats
from sentrial.propagation import extract, inject
from sentrial.session_context import SessionContext
from sentrial.wrappers import wrap_anthropic, wrap_google, wrap_llm, wrap_openai

__all__ = [
    "AsyncInteraction",
    "AsyncSentrialClient",
    "BatcherConfig",
    "EventType",
    "Interaction",
    "SentrialClient",
    "SentrialSpanProcessor",
    "SessionContext",
    "__version__",
    "attach",
    "begin",
    "begin_async",
    "clear_session_context",
    "configure",
    "configure_async",
    "decision",
    "doctor",
    "extract",
    "flush",
    "get_current_client",
    "get_current_interaction",
    "get_current_session_id",
    "get_session_context",
    "get_session_entry_points",
    "inject",
    "resume",
    "session",
    "set_session_context",
    "setup_otel_tracing",
    "shutdown",
    "stats",
    "tool",
    "wrap_anthropic",
    "wrap_google",
    "wrap_llm",
    "wrap_openai",
]
