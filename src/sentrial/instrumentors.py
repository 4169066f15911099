"""Each library as a standard instrumentor of OpenTelemetry's: switched on and off one by one.

``opentelemetry-instrument`` and whatever else loads the entry points of ``opentelemetry_instrumentor`` find them as
``sentrial-openai``, ``sentrial-anthropic``, ``sentrial-google`` and ``sentrial-langchain``.
``opentelemetry-instrumentation`` is not needed.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import Any, ClassVar, TypeVar

from sentrial import _alone, _guard, _library_versions
from sentrial._library_versions import REQUIREMENTS, Unmet
from sentrial._patch import install

__all__ = [
    "AnthropicInstrumentor",
    "ClientInstrumentor",
    "GoogleGenAIInstrumentor",
    "LangChainInstrumentor",
    "OpenAIInstrumentor",
]

T = TypeVar("T", bound="ClientInstrumentor")

_STANDARD = "opentelemetry.instrumentation"


class ClientInstrumentor:
    """Records the calls of one client library. One object a class, as the standard has it.

    For a client that another distribution describes: a class below this one, with these two attributes.

    Attributes:
        client: the library, as ``instrument=`` names it.
        dependencies: what is recorded, in the words of a requirement: ``("openai >= 1.55.3",)``.
    """

    client: ClassVar[str] = ""
    dependencies: ClassVar[tuple[str, ...]] = ()
    _instance: ClassVar[Any] = None

    def __new__(cls: type[T], *args: Any, **kwargs: Any) -> T:
        """The one object of this class."""
        if "_instance" not in vars(cls):
            cls._instance = super().__new__(cls)
            standard = sys.modules.get(f"{_STANDARD}.instrumentor")
            if standard is not None:
                # Nothing of theirs is needed; but isinstance() should say what it is.
                standard.BaseInstrumentor.register(cls)
        instance: T = cls._instance
        return instance

    @property
    def is_instrumented_by_opentelemetry(self) -> bool:
        """Whether every client of the library is recorded, by this, by ``configure()`` or by a session."""
        return install.is_installed(self.client)

    def instrumentation_dependencies(self) -> Collection[str]:
        """The library, with its lowest version, as a requirement."""
        return self.dependencies

    def instrument(self, **kwargs: Any) -> None:
        """Record the calls of every client of this library, from now on; a second time does nothing more.

        Without ``configure()`` the spans go to the application's ``TracerProvider``, and no exporter of ours is added;
        where ``SENTRIAL_*`` variables say where sessions go, they hold. A version older than what is tested is said
        once in the log, and recorded as far as that goes.

        Args:
            **kwargs: ``tracer_provider``, ``meter_provider``: where spans and metrics of ours go, of this and every
                other library, and sessions; the global ones, if not given. ``skip_dep_check``: say nothing of versions.
                ``raise_exception_on_conflict``: raise the standard's exception for one that is too old or not there,
                and record nothing. Others are taken, as the standard wants it, and not used.
        """
        unchecked, raises = bool(kwargs.get("skip_dep_check")), bool(kwargs.get("raise_exception_on_conflict"))
        for unmet in () if unchecked else filter(None, map(_library_versions.unmet, self.dependencies)):
            if raises:
                _raise(unmet)
            unmet.say()
        self._instrument(kwargs.get("tracer_provider"), kwargs.get("meter_provider"), automatic=unchecked or raises)

    @_guard.guarded("instrumenting", _guard.nothing)
    def _instrument(self, tracer_provider: Any, meter_provider: Any, *, automatic: bool) -> None:
        _alone.instrument(self.client, tracer_provider, meter_provider, automatic=automatic)

    def uninstrument(self, **kwargs: Any) -> None:
        """Record no call of this library from now on, whoever has asked for it; one that is under way still is.

        Wrappers that others have put around the same methods stay.
        """
        _alone.uninstrument(self.client)


class OpenAIInstrumentor(ClientInstrumentor):
    """Records the calls of every client of ``openai``."""

    client = "openai"
    dependencies = (REQUIREMENTS["openai"],)


class AnthropicInstrumentor(ClientInstrumentor):
    """Records the calls of every client of ``anthropic``."""

    client = "anthropic"
    dependencies = (REQUIREMENTS["anthropic"],)


class GoogleGenAIInstrumentor(ClientInstrumentor):
    """Records the calls of every client of ``google-genai``."""

    client = "google"
    dependencies = (REQUIREMENTS["google"],)


class LangChainInstrumentor(ClientInstrumentor):
    """Records the runs of LangChain and LangGraph: models, tools, retrievers, agents and graphs."""

    client = "langchain"
    dependencies = (REQUIREMENTS["langchain"],)


def _raise(unmet: Unmet) -> None:
    """Raise as the standard does; not where the standard is not loaded, for then nobody knows its exception."""
    standard = sys.modules.get(f"{_STANDARD}.dependencies")
    if standard is not None:
        found = None if unmet.found is None else f"{unmet.distribution} {unmet.found}"
        raise standard.DependencyConflictError(standard.DependencyConflict(unmet.requirement, found))
