"""The wrappers of the old SDK, as doors to the instrumentation: a library is patched, your client stays as it is."""

from __future__ import annotations

from typing import TypeVar

from sentrial import _guard, _setup

T = TypeVar("T")

_LIBRARIES = {
    "openai": ("openai",),
    "anthropic": ("anthropic",),
    "google": ("google.generativeai", "google.genai", "vertexai"),
}


def wrap_openai(client: T, track_without_session: bool = False) -> T:
    """Record the calls of OpenAI's library, whatever ``instrument=`` leaves out, and without a ``configure()``.

    All clients of the library are recorded from now on, made before or after; wrapping twice records once.

    Args:
        client: a client of the library, of any class: sync, async, Azure, one of your own.
        track_without_session: taken, and needs no switch: calls outside sessions are recorded anyway. They go to the
            exporters of your own ``TracerProvider``, to a collector or the local store where we feed one, and to
            Sentrial, which has no place for a call without a session, where :class:`sentrial.SentrialSpanProcessor` or
            :func:`sentrial.setup_otel_tracing` makes a session of each trace.

    Returns:
        ``client`` itself, unchanged.
    """
    return _wrap(client, "openai", "wrap_openai")


def wrap_anthropic(client: T, track_without_session: bool = False) -> T:
    """Record the calls of Anthropic's library; see :func:`wrap_openai`.

    Args:
        client: a client of the library, of any class.
        track_without_session: as there.

    Returns:
        ``client`` itself, unchanged.
    """
    return _wrap(client, "anthropic", "wrap_anthropic")


def wrap_google(client: T, track_without_session: bool = False) -> T:
    """Record the calls of Google's libraries; see :func:`wrap_openai`.

    Args:
        client: a client or a model of theirs.
        track_without_session: as there.

    Returns:
        ``client`` itself, unchanged.
    """
    return _wrap(client, "google", "wrap_google")


def wrap_llm(client: T, provider: str | None = None) -> T:
    """Record the calls of the library that ``client`` comes from; see :func:`wrap_openai`.

    Args:
        client: a client of a known library, or of a class made from one.
        provider: ``"openai"``, ``"anthropic"`` or ``"google"``; found by the class of ``client``, if not given.

    Returns:
        ``client`` itself, unchanged; with one warning where the library is not known.
    """
    word = provider.strip().lower() if isinstance(provider, str) else ""
    name = word if word in _LIBRARIES else _library_of(client)
    if provider is not None and word not in _LIBRARIES:
        _guard.say_once(
            f"wrap_llm provider {_guard.shown(provider)}",
            "sentrial: provider=%s is not usable: it must be one of %s. The class of the client decides.",
            _guard.shown(provider),
            ", ".join(_LIBRARIES),
        )
    if name is None:
        kind = f"{type(client).__module__}.{type(client).__qualname__}"
        _guard.say_once(
            f"wrap_llm {kind}",
            "sentrial: wrap_llm() knows no library with the class %s, and its calls are not recorded; known are %s.",
            kind,
            ", ".join(_LIBRARIES),
        )
        return client
    return _wrap(client, name, "wrap_llm")


def _wrap(client: T, name: str, wrapper: str) -> T:
    try:
        if not _setup.instrument(name):
            _guard.say_once(
                f"no description of {name}",
                "sentrial: this version does not record the calls of %s; %s() gives the client back as it is.",
                name,
                wrapper,
            )
        elif _library_of(client) != name:
            kind = f"{type(client).__module__}.{type(client).__qualname__}"
            _guard.say_once(
                f"{wrapper} {kind}",
                "sentrial: %s() got a %s, which is no class of %s: its calls are recorded where it uses that library.",
                wrapper,
                kind,
                name,
            )
    except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's program
        _guard.failed(f"{wrapper}()", error)
    return client


def _library_of(client: object) -> str | None:
    """The library whose classes ``client`` is made of; the nearest one counts."""
    for each in type(client).__mro__:
        module = f"{each.__module__}."
        for name, packages in _LIBRARIES.items():
            if any(module.startswith(f"{package}.") for package in packages):
                return name
    return None
