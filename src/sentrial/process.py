"""The functions of the module: one configuration and one client for the whole process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sentrial import _setup
from sentrial.client import DEFAULT_FLUSH, SentrialClient
from sentrial.interaction import Interaction

_default: SentrialClient | None = None


def configure(
    api_key: str | None = None,
    api_url: str | None = None,
    fail_silently: bool = True,
    *,
    otlp_endpoint: str | None = None,
    store: str | bool | None = None,
    enabled: bool | None = None,
    set_global: bool | None = None,
    capture_content: str | bool | None = None,
    mask: Callable[[str], str] | None = None,
    session_parent: str | None = None,
    sample_rate: float | None = None,
    session_timeout: float | None = None,
    openinference: bool | None = None,
    instrument: Iterable[str] | None = None,
    queue_size: int | None = None,
    flush_interval: float | None = None,
    flush_timeout: float | None = None,
    retry_timeout: float | None = None,
) -> None:
    """Set up for this process: an argument counts, else its ``SENTRIAL_*`` variable, else a default.

    May be called again; no connection is opened. A program with its own OpenTelemetry pipeline needs no call of this.

    Args:
        api_key: your key; sessions go to Sentrial.
        api_url: Sentrial's address.
        fail_silently: ``False`` raises on bad input; else it is logged, and the default counts.
        otlp_endpoint: a collector's address; the ``OTEL_EXPORTER_OTLP_*`` variables say everything else about it.
        store: a path, or ``True``: keep sessions in the local store as well. Without any destination they are kept
            there anyway.
        enabled: ``False`` switches everything off.
        set_global: ``False`` keeps a provider of ours out of OpenTelemetry's global place.
        capture_content: ``False`` records no prompts, arguments and results; ``"span"`` puts them on span attributes,
            where every exporter sees them; ``"ours"``, the default, sends them to our own destinations only.
        mask: called with each text before it leaves; what it returns is sent.
        session_parent: ``"inherit"`` makes a session a child of the current span; ``"root"``, the default, a trace of
            its own.
        sample_rate: share of sessions to keep, 0 to 1, where the provider is ours.
        session_timeout: seconds after which an untouched session ends as abandoned.
        openinference: ``False`` leaves out OpenInference's ``input.value`` and the like.
        instrument: the clients to patch, such as ``["openai"]``; all that are known, if not given.
        queue_size: bytes that may wait for one destination.
        flush_interval: seconds that a span waits for company.
        flush_timeout: seconds that the end of the program may wait for delivery.
        retry_timeout: seconds that one batch is tried again.

    Raises:
        ValueError: with ``fail_silently=False``, for a value that makes no sense.
    """
    global _default
    arguments = {
        "api_key": api_key,
        "api_url": api_url,
        "otlp_endpoint": otlp_endpoint,
        "store": store,
        "enabled": enabled,
        "set_global": set_global,
        "capture_content": capture_content,
        "mask": mask,
        "session_parent": session_parent,
        "sample_rate": sample_rate,
        "session_timeout": session_timeout,
        "openinference": openinference,
        "instrument": instrument,
        "queue_size": queue_size,
        "flush_interval": flush_interval,
        "flush_timeout": flush_timeout,
        "retry_timeout": retry_timeout,
    }
    config = _setup.set_up(arguments, strict=not fail_silently)
    _default = SentrialClient(config.api_url, config.api_key, fail_silently)


def begin(
    user_id: str | None,
    event: str,
    input: object = None,  # noqa: A002 - the name that the users of the old SDK know
    event_id: str | None = None,
    convo_id: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Interaction:
    """Begin an interaction: a session that is current until its ``finish()``.

    Args:
        user_id: whose interaction it is.
        event: what kind of interaction; it becomes the agent's name.
        input: what the user said.
        event_id: an id of your own; a UUID, if not given.
        convo_id: the conversation that it belongs to.
        metadata: anything else.
    """
    global _default
    if _default is None:
        _default = SentrialClient()
    return _default.begin(user_id, event, input, event_id, convo_id, metadata)


def flush(timeout: float = DEFAULT_FLUSH) -> bool:
    """Wait until everything that has ended is dealt with, ``timeout`` seconds at most; whether it is.

    Dealt with is what was delivered, and what a server refused for good: :func:`stats` tells them apart.
    """
    return _setup.flush(timeout)


def shutdown(timeout: float | None = None) -> None:
    """End what is open, deliver it within ``timeout`` seconds, and undo what ``configure()`` did.

    Runs by itself when the program ends. ``timeout``: ``SENTRIAL_FLUSH_TIMEOUT``, if not given.
    """
    global _default
    _default = None
    _setup.shut_down(timeout)


def stats() -> dict[str, dict[str, int]]:
    """How many spans each destination has stored, and how many were lost, by reason."""
    return _setup.stats()
