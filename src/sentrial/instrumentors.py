"""Each client library as a standard instrumentor of OpenTelemetry's: switched on and off one by one.

``opentelemetry-instrument`` and whatever else loads the entry points of ``opentelemetry_instrumentor`` find them as
``sentrial-openai``, ``sentrial-anthropic`` and ``sentrial-google``. ``opentelemetry-instrumentation`` is not needed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar, TypeVar

from sentrial import _alone, _guard
from sentrial._patch import install

__all__ = ["AnthropicInstrumentor", "ClientInstrumentor", "GoogleGenAIInstrumentor", "OpenAIInstrumentor"]

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
        where ``SENTRIAL_*`` variables say where sessions go, they hold.

        Args:
            **kwargs: ``tracer_provider``, ``meter_provider``: where spans and metrics of ours go, of this and every
                other library, and sessions; the global ones, if not given. ``skip_dep_check``: say nothing of versions.
                Others are taken, as the standard wants it, and not used.
        """
        automatic = bool(kwargs.get("skip_dep_check") or kwargs.get("raise_exception_on_conflict"))
        if not kwargs.get("skip_dep_check"):
            unmet = self._unmet()
            if unmet is not None:
                _refuse(*unmet, raises=bool(kwargs.get("raise_exception_on_conflict")))
                return
        self._instrument(kwargs.get("tracer_provider"), kwargs.get("meter_provider"), automatic)

    @_guard.guarded("instrumenting", _guard.nothing)
    def _instrument(self, tracer_provider: Any, meter_provider: Any, automatic: bool) -> None:
        _alone.instrument(self.client, tracer_provider, meter_provider, automatic=automatic)

    def uninstrument(self, **kwargs: Any) -> None:
        """Record no call of this library from now on, whoever has asked for it; one that is under way still is.

        Wrappers that others have put around the same methods stay.
        """
        _alone.uninstrument(self.client)

    def _unmet(self) -> tuple[str, str | None] | None:
        """The first requirement that is not met, and what was found instead."""
        for requirement in self.dependencies:
            name, _, lowest = (part.strip() for part in requirement.partition(">="))
            try:
                found = version(name)
            except PackageNotFoundError:
                return requirement, None
            if _numbers(found) < _numbers(lowest):
                return requirement, f"{name} {found}"
        return None


class OpenAIInstrumentor(ClientInstrumentor):
    """Records the calls of every client of ``openai``."""

    client = "openai"
    dependencies = ("openai >= 1.55.3",)


class AnthropicInstrumentor(ClientInstrumentor):
    """Records the calls of every client of ``anthropic``."""

    client = "anthropic"
    dependencies = ("anthropic >= 0.49.0",)


class GoogleGenAIInstrumentor(ClientInstrumentor):
    """Records the calls of every client of ``google-genai``."""

    client = "google"
    dependencies = ("google-genai >= 1.7.0",)


def _numbers(found: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", found.partition("+")[0])[:3]]


def _refuse(requirement: str, found: str | None, *, raises: bool) -> None:
    standard = sys.modules.get(f"{_STANDARD}.dependencies")
    if raises and standard is not None:
        raise standard.DependencyConflictError(standard.DependencyConflict(requirement, found))
    _guard.say_once(
        f"instrument {requirement}",
        "sentrial: nothing is recorded of what needs %s: %s is installed.",
        requirement,
        found or "no such package",
    )
