"""Sessions, tool calls, decisions and model calls of AI agents, as OpenTelemetry spans."""

import typing as _typing

from sentrial import _missing_names
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

if not _typing.TYPE_CHECKING:

    def __getattr__(name):
        """What programs for the older SDK import from here: ``sentrial.langchain`` has it, and needs LangChain.

        What is nowhere raises an ImportError: of an AttributeError Python drops the words where it is imported.
        """
        if name in _missing_names.WHY:
            raise ImportError(_missing_names.words(name), name=__name__)
        if name not in (
            "LANGCHAIN_MAJOR_VERSION",
            "LANGCHAIN_VERSION",
            "SentrialCallbackHandler",
            "create_agent_with_sentrial",
            "get_agent_executor",
            "get_openai_tools_agent_creator",
            "get_react_agent",
        ):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            from sentrial import langchain
        except ImportError as error:
            raise AttributeError(f"{__name__}.{name} is not there: {error}") from error
        return getattr(langchain, name)
