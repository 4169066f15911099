"""The peers: how each is switched on for a client, as its own pages say. ``PEERS``: by the name of the environment."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

CLIENTS = ("openai", "anthropic", "google")


@dataclass(frozen=True)
class Peer:
    """A library that traces model calls.

    Attributes:
        title: how the page calls it.
        distributions: whose versions the page tells.
        instrumentors: by client, the module and the class that patch it.
    """

    title: str
    distributions: tuple[str, ...]
    instrumentors: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def start(self, client: str) -> Callable[[Any], Any]:
        """Switch it on for ``client``. Gives what the program has to do to each client object."""
        module, name = self.instrumentors[client]
        instrumentor = getattr(importlib.import_module(module), name)()
        instrumentor.instrument()
        assert instrumentor.is_instrumented_by_opentelemetry, f"{name} does not take this version of {client}"
        return _as_it_is

    def stop(self, client: str) -> None:
        """Switch it off again."""
        module, name = self.instrumentors[client]
        getattr(importlib.import_module(module), name)().uninstrument()


def _as_it_is(client: Any) -> Any:
    return client


class Ours(Peer):
    """This package: spans go to the program's own provider."""

    def start(self, client: str) -> Callable[[Any], Any]:
        import sentrial

        sentrial.configure(instrument=[client])
        return _as_it_is

    def stop(self, client: str) -> None:
        import sentrial

        sentrial.shutdown()


class OldSdk(Peer):
    """The old SDK: it wraps one client object, and sends to a server of its own."""

    def start(self, client: str) -> Callable[[Any], Any]:
        import sentrial

        wrap: Callable[[Any], Any] = getattr(sentrial, f"wrap_{client}")
        return wrap


def _instrumentors(prefix: str, **names: tuple[str, str]) -> dict[str, tuple[str, str]]:
    return {client: (f"{prefix}.{module}", name) for client, (module, name) in names.items()}


PEERS: dict[str, Peer] = {
    "ours": Ours("sentrial-otel", ("sentrial-otel",)),
    "official": Peer(
        "OpenTelemetry",
        (
            "opentelemetry-instrumentation-genai-openai",
            "opentelemetry-instrumentation-genai-anthropic",
            "opentelemetry-instrumentation-google-genai",
        ),
        _instrumentors(
            "opentelemetry.instrumentation",
            openai=("genai.openai", "OpenAIInstrumentor"),
            anthropic=("genai.anthropic", "AnthropicInstrumentor"),
            google=("google_genai", "GoogleGenAiSdkInstrumentor"),
        ),
    ),
    "openllmetry": Peer(
        "OpenLLMetry",
        (
            "opentelemetry-instrumentation-openai",
            "opentelemetry-instrumentation-anthropic",
            "opentelemetry-instrumentation-google-generativeai",
        ),
        _instrumentors(
            "opentelemetry.instrumentation",
            openai=("openai", "OpenAIInstrumentor"),
            anthropic=("anthropic", "AnthropicInstrumentor"),
            google=("google_generativeai", "GoogleGenerativeAiInstrumentor"),
        ),
    ),
    "openinference": Peer(
        "OpenInference",
        (
            "openinference-instrumentation-openai",
            "openinference-instrumentation-anthropic",
            "openinference-instrumentation-google-genai",
        ),
        _instrumentors(
            "openinference.instrumentation",
            openai=("openai", "OpenAIInstrumentor"),
            anthropic=("anthropic", "AnthropicInstrumentor"),
            google=("google_genai", "GoogleGenAIInstrumentor"),
        ),
    ),
    "sentrial_0_6": OldSdk("sentrial 0.6.0", ("sentrial",)),
}
