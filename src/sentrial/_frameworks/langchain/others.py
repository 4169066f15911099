"""Other instrumentations of LangChain: where one is on, it makes the spans, and ours stay out."""

from __future__ import annotations

import sys

from sentrial import _foreign, semconv
from sentrial.types import LlmRequest

OURS = "sentrial"
"""Stands for another handler of ours, where that one makes the spans."""

_OPENTELEMETRY = "opentelemetry.instrumentation.genai.langchain"

_INSTRUMENTORS = (
    "openinference.instrumentation.langchain",
    "opentelemetry.instrumentation.langchain",
    _OPENTELEMETRY,
)
"""Their modules, and the scopes of their spans."""


def active() -> str | None:
    """Which of them is on, said once; ``None`` where none is."""
    for module in _INSTRUMENTORS:
        found = sys.modules.get(module)
        if found is not None and _is_on(found):
            _foreign.say_told_by(module, "the runs of LangChain")
            return module
    return None


def tells_of(teller: str, request: LlmRequest) -> bool:
    """Whether ``teller``, which is on, tells of such a call: OpenTelemetry's does of chats with a named model."""
    return teller != _OPENTELEMETRY or (request.operation == semconv.OPERATION_CHAT and request.model is not None)


def _is_on(module: object) -> bool:
    instrumentor = getattr(module, "LangChainInstrumentor", None) or getattr(module, "LangchainInstrumentor", None)
    return _foreign.is_on(getattr(instrumentor, "_instance", None))
