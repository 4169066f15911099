"""The functions of the module: one configuration and one client for the whole process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sentrial import _config, _guard, _setup
from sentrial._settings import SETTINGS
from sentrial._spans import amounts
from sentrial._unknown_arguments import lenient
from sentrial.attachment import Attachment
from sentrial.batching import BatcherConfig, flush_interval_of
from sentrial.client import DEFAULT_FLUSH, SentrialClient
from sentrial.interaction import Interaction

if TYPE_CHECKING:
    from sentrial.redact import PiiConfig

_default: SentrialClient | None = None

_BY_VARIABLE = {name: f"set {setting.variables[0]}." for name, setting in SETTINGS.items() if setting.variables}


@_guard.guarded("configuring", _guard.nothing)
@lenient(_BY_VARIABLE)
def configure(
    api_key: str | None = None,
    api_url: str | None = None,
    fail_silently: bool = True,
    pii: PiiConfig | bool | str | None = None,
    batching: BatcherConfig | bool | None = None,
    *,
    otlp_endpoint: str | None = None,
    store: str | bool | None = None,
    enabled: bool | None = None,
    set_global: bool | None = None,
    capture_content: str | bool | None = None,
    mask: Callable[[str], str] | None = None,
    session_parent: str | None = None,
    auto_session: str | bool | Iterable[str] | None = None,
    sample_rate: float | None = None,
    session_timeout: float | None = None,
    openinference: bool | None = None,
    stream_usage: bool | None = None,
    instrument: Iterable[str] | None = None,
    carry_context: bool | None = None,
    propagate_session: bool | str | Iterable[str] | None = None,
    trust_incoming: bool | None = None,
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
        pii: ``True`` masks personal data too, in whatever leaves; a ``PiiConfig`` says how (extra ``pii``).
        batching: every span is batched, on a thread of ours; of a ``BatcherConfig``, ``flush_interval`` counts.
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
        auto_session: what is a session without a ``begin()``: ``"request"``, each inbound request that calls a model;
            ``"call"``, each outermost model call; ``"process"``, the run of the program; several of them, or ``"off"``.
        sample_rate: share of sessions to keep, 0 to 1, where the provider is ours.
        session_timeout: seconds after which an untouched session ends as abandoned.
        openinference: ``False`` leaves out OpenInference's ``input.value`` and the like.
        stream_usage: ``True`` has streams of OpenAI's chat and text completions say their tokens, where the program
            has not asked for them itself; it does not see that they came.
        instrument: the libraries to record, such as ``["openai", "langchain"]``; all that are known, if not given.
        carry_context: ``False`` leaves threads and executors alone, so that work handed to them leaves its session.
        propagate_session: ``True`` sends the session's identity along with every request that carries a trace; hosts,
            such as ``["*.internal"]``, with HTTP requests to them only.
        trust_incoming: ``True`` believes the identity that requests bring: where no stranger can send them.
        queue_size: bytes that may wait for one destination.
        flush_interval: seconds that a span waits for company.
        flush_timeout: seconds that the end of the program may wait for delivery.
        retry_timeout: seconds that one batch is tried again.

    Raises:
        ValueError: with ``fail_silently=False``, for a value that makes no sense, and for an argument that is none: it
            is left out.
    """
    global _default
    arguments = {
        "api_key": api_key,
        "api_url": api_url,
        "pii": pii,
        "otlp_endpoint": otlp_endpoint,
        "store": store,
        "enabled": enabled,
        "set_global": set_global,
        "capture_content": capture_content,
        "mask": mask,
        "session_parent": session_parent,
        "auto_session": auto_session,
        "sample_rate": sample_rate,
        "session_timeout": session_timeout,
        "openinference": openinference,
        "stream_usage": stream_usage,
        "instrument": instrument,
        "carry_context": carry_context,
        "propagate_session": propagate_session,
        "trust_incoming": trust_incoming,
        "queue_size": queue_size,
        "flush_interval": flush_interval_of(batching) if flush_interval is None else flush_interval,
        "flush_timeout": flush_timeout,
        "retry_timeout": retry_timeout,
    }
    fail_silently = amounts.read_switch("fail_silently", fail_silently, {}, default=True)
    with _guard.raising(not fail_silently):
        config = _setup.set_up(arguments, strict=not fail_silently)
        _default = SentrialClient(config.api_url, config.api_key, fail_silently)


def configure_client(api_key: str | None, api_url: str | None, fail_silently: bool) -> None:
    """Change whose account the process's sessions go to, and leave everything else as it is."""
    global _default
    config = _setup.amend({"api_key": api_key, "api_url": api_url}, strict=not fail_silently)
    _default = SentrialClient(config.api_url, config.api_key, fail_silently)


@lenient()
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
    return default_client().begin(user_id, event, input, event_id, convo_id, metadata)


def resume(handle: str) -> Interaction:
    """Go on with a session that ``export()`` handed over, in this process or another, and make it current.

    What happens in it has its id, its user and its conversation, and lies under its root, where that is; ``finish()``
    ends it, by a span ``session completed`` where another process opened it.

    Args:
        handle: what :meth:`Interaction.export` gave; a session id does too, and says nothing of user and conversation.
    """
    return default_client().resume(handle)


def attach(session_id: str) -> Attachment:
    """Make a session current in a block, without ending it: ``with sentrial.attach(session_id) as session: ...``

    Args:
        session_id: what ``create_session()`` gave, or ``begin().session_id``, here or in another process.
    """
    return default_client().attach(session_id)


def default_client() -> SentrialClient:
    """The client that ``configure()`` made; one from the environment, where nobody called it."""
    global _default
    client = _default
    if client is None:
        client = _default = SentrialClient()
    return client


@_guard.guarded("flushing", bool)
def flush(timeout: float = DEFAULT_FLUSH) -> bool:
    """Wait until everything that has ended is dealt with, ``timeout`` seconds at most; whether it is.

    Dealt with is what was delivered, and what a server refused for good: :func:`stats` tells them apart.
    """
    with _guard.raising(_default is not None and not _default.fail_silently):
        return _setup.flush(amounts.read_seconds("timeout", timeout, DEFAULT_FLUSH))


@_guard.guarded("shutting down", _guard.nothing)
def shutdown(timeout: float | None = None) -> None:
    """End what is open, deliver it within ``timeout`` seconds, and undo what ``configure()`` did.

    Runs by itself when the program ends. ``timeout``: ``SENTRIAL_FLUSH_TIMEOUT``, if not given.
    """
    global _default
    loud = _default is not None and not _default.fail_silently
    _default = None
    with _guard.raising(loud):
        _setup.shut_down(amounts.read_seconds("timeout", timeout, _config.active.flush_timeout))


def stats() -> dict[str, dict[str, int]]:
    """How many spans each destination has stored, and how many were lost, by reason."""
    return _setup.stats()
