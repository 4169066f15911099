"""The configuration: argument, else ``SENTRIAL_*``, else the standard ``OTEL_*``, else a default. It reads, never acts.

A value that makes no sense is named in one warning, with the remedy, and the next source counts instead.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sentrial import _guard
from sentrial._pii import PartlyUsableError, PiiConfig
from sentrial._setting_values import CAPTURE_OURS, DEFAULT_API_URL, PARENT_ROOT, UnusableError
from sentrial._settings import COLLECTOR_VARIABLES, SETTINGS, STANDARD_CAPTURE


@dataclass(frozen=True, slots=True)
class Config:
    """What is in force. Times in seconds, sizes in bytes.

    Attributes:
        api_key: Sentrial's key; ``None`` sends nothing to Sentrial.
        api_url: Sentrial's address.
        otlp_endpoint: a collector's address, where it was given in code; the ``OTEL_EXPORTER_OTLP_*`` family is read
            by the standard exporters themselves.
        collector: whether a collector is configured at all.
        asked_for: whether ``OTEL_TRACES_EXPORTER`` names us: sessions of a provider that is not ours are kept, too.
        store: the local store's path, ``"on"`` for the default place, ``"off"`` for none, ``None`` for "only if there
            is nothing else".
        store_max_size: how much the local store may hold.
        store_max_age: how long after its end a session stays in the local store; ``None``: as long as there is room.
        enabled: ``False`` switches everything off.
        set_global: whether a provider of ours may become the global one.
        capture_content: ``"ours"``, ``"span"`` or ``"off"``.
        session_parent: ``"root"`` or ``"inherit"``.
        auto_session: what is a session by itself, of ``"request"``, ``"call"`` and ``"process"``.
        agent_name: the agent's name in such a session; ``None`` for the service's.
        user_id: the user in such a session; ``None`` for the one that the request names.
        sample_rate: share of sessions kept by a provider of ours; ``None`` leaves it to ``OTEL_TRACES_SAMPLER``.
        session_timeout: after how long an untouched session ends as abandoned.
        openinference: whether ``input.value``, ``output.value`` and ``openinference.span.kind`` are written.
        stream_usage: whether requests for streams ask for the tokens, where the program does not say what it wants.
        instrument: names of the libraries to record; ``None`` for all that are known.
        carry_context: whether threads and executors get the context of the session that asks them to work.
        propagate_session: whether requests that leave carry the session's identity; or to which hosts they do.
        trust_incoming: whether the identity that requests bring is believed.
        mask: the application's own mask, applied to each text after the built-in one.
        pii: what personal data is masked, and how; ``None`` masks none.
        pii_key: what hashes of personal data are keyed with; ``None`` for a key of this process.
        queue_size: how much may wait for one destination.
        flush_interval: how long a span waits for company.
        flush_timeout: how long the end of the program may wait for what is still queued.
        retry_timeout: how long one batch is tried again before it is given up.
        sources: by name of a setting, where its value came from: ``"argument"`` or a variable; the rest are defaults.
        problems: what was given and is not used as it is, in sentences.
    """

    api_key: str | None = field(default=None, repr=False)
    api_url: str = DEFAULT_API_URL
    otlp_endpoint: str | None = None
    collector: bool = False
    asked_for: bool = False
    store: str | None = None
    store_max_size: int = 1024**3
    store_max_age: float | None = None
    enabled: bool = True
    set_global: bool = True
    capture_content: str = CAPTURE_OURS
    session_parent: str = PARENT_ROOT
    auto_session: tuple[str, ...] = ()
    agent_name: str | None = None
    user_id: str | None = None
    sample_rate: float | None = None
    session_timeout: float = 24 * 3600.0
    openinference: bool = True
    stream_usage: bool = False
    instrument: tuple[str, ...] | None = None
    carry_context: bool = True
    propagate_session: bool | tuple[str, ...] = False
    trust_incoming: bool = False
    mask: Callable[[str], str] | None = None
    pii: PiiConfig | None = None
    pii_key: str | None = field(default=None, repr=False)
    queue_size: int = 64 * 1024 * 1024
    flush_interval: float = 0.5
    flush_timeout: float = 5.0
    retry_timeout: float = 300.0
    sources: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    problems: tuple[str, ...] = field(default=(), repr=False, compare=False)


active = Config()
"""The configuration in force; :mod:`sentrial._setup` replaces it."""


auto_by_default: tuple[str, ...] = ()
"""What is a session by itself where nobody says it: nothing, unless the program runs without code of ours."""


def set_active(config: Config) -> None:
    """Put ``config`` in force."""
    global active
    active = config


def set_auto_by_default(modes: tuple[str, ...]) -> None:
    """Let ``modes`` be sessions by themselves where no setting says anything else."""
    global auto_by_default
    auto_by_default = modes


_SDK_DISABLED = "OTEL_SDK_DISABLED"
_EXPORTERS = "OTEL_TRACES_EXPORTER"

ARGUMENT = "argument"
"""The source of a value that was given in code."""


def read_config(arguments: Mapping[str, object], *, strict: bool = False) -> Config:
    """The configuration from ``arguments`` (``None`` counts as not given) and the environment.

    Raises:
        ValueError: with ``strict``, for an argument that makes no sense; else it is logged and left out.
    """
    config = survey(arguments, strict=strict)
    for problem in config.problems:
        _guard.say_once(f"config {problem}", "sentrial: %s", problem)
    return config


def survey(arguments: Mapping[str, object], *, strict: bool = False) -> Config:
    """As :func:`read_config`, without a word in the log: what there is to say is in ``problems``."""
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    problems: list[str] = []
    for name, setting in SETTINGS.items():
        given = arguments.get(name)
        named = [] if given is None else [(ARGUMENT, given)]
        named += [(variable, text) for variable in setting.variables if (text := os.environ.get(variable, "").strip())]
        for source, value in named:
            try:
                values[name] = setting.read(value)
            except Exception as error:  # noqa: BLE001 - an argument is any object, and its methods may raise anything
                label = name if source == ARGUMENT else source
                words = f"{label}={_shown(name, value)} is not usable: it must be {_remedy(error, name)}."
                if strict and source == ARGUMENT:
                    raise _guard.RefusedError(words) from None
                partly = error if isinstance(error, PartlyUsableError) else None
                problems.append(f"{words} {partly.then if partly else 'It is ignored.'}")
                if not partly:
                    continue
                values[name] = partly.instead
            sources[name] = source
            break
    collector = next((name for name in COLLECTOR_VARIABLES if os.environ.get(name)), None)
    exporters = {each.strip() for each in os.environ.get(_EXPORTERS, "").lower().split(",")} - {""}
    if exporters and not any(each.startswith("otlp") for each in exporters):
        collector = None
    values["asked_for"] = "sentrial" in exporters
    values["collector"] = "otlp_endpoint" in values or collector is not None
    if "auto_session" not in values:
        values["auto_session"] = auto_by_default
    if collector is not None and "otlp_endpoint" not in values:
        sources["otlp_endpoint"] = collector
    if os.environ.get(STANDARD_CAPTURE, "").strip().upper() in ("EVENT_ONLY", "SPAN_AND_EVENT"):
        problems.append(
            f"{STANDARD_CAPTURE} asks for content in log records, which this version does not emit; "
            "our destinations get it."
        )
    if os.environ.get(_SDK_DISABLED, "").strip().lower() == "true":
        values["enabled"], sources["enabled"] = False, _SDK_DISABLED
    return Config(**values, sources=sources, problems=tuple(problems))


# Keys have dots too, JSON Web Tokens say; but what follows their last dot is no country and no number.
_HOST = re.compile(
    r"(?:localhost|(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,18}|[0-9]{1,3}(?:\.[0-9]{1,3}){3})(?::[0-9]{1,5})?(?:/[\w./-]*)?",
    re.ASCII,
)


def _shown(name: str, value: object) -> str:
    """``value`` for a message: never a key, also where it was given for an address, nor a password in one."""
    if _guard.is_a(value, PiiConfig):
        return "PiiConfig(...)"
    if name in ("api_key", "pii_key"):
        return "(not shown)"
    if name not in ("api_url", "otlp_endpoint"):
        return _guard.shown(value)
    value = str.__str__(value) if _guard.is_a(value, str) else ""
    scheme, found, rest = value.partition("://")
    if found:
        return _guard.shown(f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}")
    address = value.strip().partition("?")[0]
    return _guard.shown(address) if _HOST.fullmatch(address) else "(not shown, for it may be a key)"


def _remedy(error: Exception, name: str) -> str:
    return str(error) if isinstance(error, UnusableError | PartlyUsableError) else f"a value for {name}"
