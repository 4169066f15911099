"""The wrappers of the old SDK: one client's calls are recorded, whatever else is; the client stays as it is."""

from __future__ import annotations

from typing import TypeVar

from sentrial import _guard, _setup
from sentrial._known_clients import known_clients
from sentrial._patch.spec import Provider

T = TypeVar("T")

_GIVE = {
    "openai": "an object such as openai.OpenAI()",
    "anthropic": "an object such as anthropic.Anthropic()",
    "google": "an object such as google.genai.Client()",
}


def wrap_openai(client: T, track_without_session: bool = False) -> T:
    """Record the calls of this client of OpenAI's library, whatever ``instrument=`` says, and without ``configure()``.

    Its copies by ``with_options()`` are recorded with it, for they share its connections; so are other clients to which
    you give the same ``http_client``. Clients that you do not wrap are left as they are. Wrapping twice records once.

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
    """Record the calls of this client of Anthropic's library; see :func:`wrap_openai`.

    Args:
        client: a client of the library, of any class: for Bedrock, Vertex and Foundry too.
        track_without_session: as there.

    Returns:
        ``client`` itself, unchanged.
    """
    return _wrap(client, "anthropic", "wrap_anthropic")


def wrap_google(client: T, track_without_session: bool = False) -> T:
    """Record the calls of this client of ``google-genai``; see :func:`wrap_openai`.

    Args:
        client: a ``google.genai.Client``, or what hangs on it: ``client.aio``, ``client.models``.
        track_without_session: as there.

    Returns:
        ``client`` itself, unchanged.
    """
    return _wrap(client, "google", "wrap_google")


def wrap_llm(client: T, provider: str | None = None) -> T:
    """Record the calls of this client, of whatever library; see :func:`wrap_openai`.

    Args:
        client: a client of a known library, or of a class made from one.
        provider: ``"openai"``, ``"anthropic"`` or ``"google"``; found by the class of ``client``, if not given.

    Returns:
        ``client`` itself, unchanged; with one warning where the library is not known.
    """
    word = provider.strip().lower() if isinstance(provider, str) else ""
    names = [known.name for known in known_clients()]
    if provider is not None and word not in names:
        _guard.say_once(
            f"wrap_llm provider {_guard.shown(provider)}",
            "sentrial: provider=%s is not usable: it must be one of %s. The class of the client decides.",
            _guard.shown(provider),
            ", ".join(names),
        )
    library = _library_of(client)
    if word not in names and library is None:
        kind = _kind_of(client)
        _guard.say_once(
            f"wrap_llm {kind}",
            "sentrial: wrap_llm() knows no library with the class %s, and its calls are not recorded; known are %s. %s",
            kind,
            ", ".join(names),
            _remedy(client) or "Give it a client of one of them.",
        )
        return client
    return _wrap(client, word if library is None else library.name, "wrap_llm")


def _wrap(client: T, name: str, wrapper: str) -> T:
    try:
        library = _library_of(client)
        if library is None or library.name != name:
            kind = _kind_of(client)
            _guard.say_once(
                f"{wrapper} {kind}",
                "sentrial: %s() got a %s, which is no client of %s: its calls are not recorded by this. %s",
                wrapper,
                kind,
                name,
                _remedy(client) or f"Give it {_GIVE.get(name, 'a client of that library')}.",
            )
        else:
            _setup.instrument(client, library)
    except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's program
        _guard.failed(f"{wrapper}()", error)
    return client


def _remedy(client: object) -> str:
    if any(each.__module__.partition(".")[0] == "langchain_core" for each in type(client).__mro__):
        return "LangChain's models are recorded by themselves, or by SentrialCallbackHandler() among the callbacks."
    return ""


def _kind_of(client: object) -> str:
    return f"{type(client).__module__}.{type(client).__qualname__}"


def _library_of(client: object) -> Provider | None:
    """The library whose classes ``client`` is made of; the nearest one counts."""
    for each in type(client).__mro__:
        module = f"{each.__module__}."
        for library in known_clients():
            if any(module.startswith(f"{package}.") for package in library.packages):
                return library
    return None
