"""Every setting: which variables it comes from, how a value of it is read, and what it means.

``docs/settings.md`` is made of this table: ``UPDATE_GOLDEN=1 make test TESTS=tests/test_settings_page.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sentrial import _setting_values as values
from sentrial._pii import read_pii


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of the configuration.

    ``default`` and ``meaning``: words for the page of settings. ``standard``: variables that count too, and that are
    read elsewhere.
    """

    read: Callable[[object], Any]
    variables: tuple[str, ...]
    default: str
    meaning: str
    standard: tuple[str, ...] = ()


STANDARD_CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
COLLECTOR_VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

SETTINGS: Mapping[str, Setting] = {
    "api_key": Setting(
        values.read_key,
        ("SENTRIAL_API_KEY",),
        "none",
        "your key; sessions go to Sentrial",
    ),
    "api_url": Setting(
        values.read_url,
        ("SENTRIAL_API_URL",),
        "`https://api.sentrial.com`",
        "Sentrial's address",
    ),
    "otlp_endpoint": Setting(
        values.read_text,
        (),
        "none",
        "a collector; the whole standard `OTEL_EXPORTER_OTLP_*` family is honoured (protocol, headers, timeout, "
        "compression, certificates)",
        COLLECTOR_VARIABLES,
    ),
    "store": Setting(
        values.read_store,
        ("SENTRIAL_STORE",),
        "only where there is no other destination",
        "`on`, or a path: keep sessions in the [local store](local-store.md) as well; `off`: keep none there, not even "
        "where there is no other destination",
    ),
    "store_max_size": Setting(
        values.read_room,
        ("SENTRIAL_STORE_MAX_SIZE",),
        "`1GiB`",
        "by variable only: how much the [local store](local-store.md) may hold, as `500MB`; the oldest sessions go",
    ),
    "store_max_age": Setting(
        values.read_age,
        ("SENTRIAL_STORE_MAX_AGE",),
        "none",
        "by variable only: how long after its end a session stays in the local store, as `12h`, `30d`",
    ),
    "enabled": Setting(
        values.read_switch,
        ("SENTRIAL_ENABLED",),
        "`true`",
        "`false` switches everything off, as `OTEL_SDK_DISABLED=true` does",
        ("OTEL_SDK_DISABLED",),
    ),
    "set_global": Setting(
        values.read_switch,
        ("SENTRIAL_SET_GLOBAL",),
        "`true`",
        "`false` keeps a provider of ours out of OpenTelemetry's global place",
    ),
    "capture_content": Setting(
        values.read_capture,
        ("SENTRIAL_CAPTURE_CONTENT", STANDARD_CAPTURE),
        "`ours`",
        "where content goes: see [content](content.md)",
    ),
    "session_parent": Setting(
        values.read_parent,
        ("SENTRIAL_SESSION_PARENT",),
        "`root`",
        "`inherit`: a session is a child of the span that is current",
    ),
    "auto_session": Setting(
        values.read_auto,
        ("SENTRIAL_AUTO_SESSION",),
        "`off`; `request,call` under `opentelemetry-instrument`, `process` under `sentrial run`",
        "what is a session without a word in your code: each `request` that calls a model, each outermost `call`, "
        "the `process`: see [zero code](zero-code.md)",
    ),
    "agent_name": Setting(
        values.read_text,
        ("SENTRIAL_AGENT_NAME",),
        "`service.name`, else the program's name",
        "by variable only: the agent's name in sessions that begin by themselves",
    ),
    "user_id": Setting(
        values.read_text,
        ("SENTRIAL_USER_ID",),
        "what the request's span says in `user.id` or `enduser.id`",
        "by variable only: the user in sessions that begin by themselves",
    ),
    "sample_rate": Setting(
        values.read_share,
        ("SENTRIAL_SAMPLE_RATE",),
        "all; `OTEL_TRACES_SAMPLER`",
        "share of sessions to keep, 0 to 1, where the provider is ours",
    ),
    "session_timeout": Setting(
        values.read_positive,
        ("SENTRIAL_SESSION_TIMEOUT",),
        "86400",
        "seconds after which an untouched session ends as abandoned (noticed when the next one begins)",
    ),
    "openinference": Setting(
        values.read_switch,
        ("SENTRIAL_OPENINFERENCE",),
        "`true`",
        "write `input.value`, `output.value`, `openinference.span.kind` for readers that know no other",
    ),
    "stream_usage": Setting(
        values.read_switch,
        ("SENTRIAL_STREAM_USAGE",),
        "`false`",
        "`true`: have OpenAI's chat and text completions say the tokens of a stream, where your program does not: see "
        "[model clients](instrumentation.md#tokens-of-streams)",
    ),
    "instrument": Setting(
        values.read_names,
        ("SENTRIAL_INSTRUMENT",),
        "`all`",
        "the libraries to record, such as `openai,langchain`, or `none`: see [model clients](instrumentation.md)",
    ),
    "carry_context": Setting(
        values.read_switch,
        ("SENTRIAL_CARRY_CONTEXT",),
        "`true`",
        "work that a session hands to a `ThreadPoolExecutor` or a `threading.Thread` belongs to it; `false` leaves "
        "both unpatched",
    ),
    "propagate_session": Setting(
        values.read_hosts,
        ("SENTRIAL_PROPAGATE_SESSION",),
        "`false`",
        "requests that leave carry the session's identity in W3C baggage: `true`, or only those to hosts such as "
        "`*.internal,tools.example.com`: see [across processes](across-processes.md)",
    ),
    "trust_incoming": Setting(
        values.read_switch,
        ("SENTRIAL_TRUST_INCOMING",),
        "`false`",
        "`true`: requests that bring a session's identity belong to it; only where no stranger can send them",
    ),
    "mask": Setting(
        values.read_callable,
        (),
        "none",
        "a function that each text passes before it leaves",
    ),
    "pii": Setting(
        read_pii,
        ("SENTRIAL_PII",),
        "`false`",
        "mask personal data: `true`, `label`, `hash`, `remove`, in code also a `PiiConfig`: see "
        "[content](content.md#personal-data). What makes no sense counts as `true`",
    ),
    "pii_key": Setting(
        values.read_text,
        ("SENTRIAL_PII_KEY",),
        "random",
        "by variable only: what the hashes of `SENTRIAL_PII=hash` are keyed with, so that they compare across "
        "processes",
    ),
    "queue_size": Setting(
        values.read_size,
        ("SENTRIAL_QUEUE_SIZE",),
        "67108864",
        "bytes that may wait for one destination",
    ),
    "flush_interval": Setting(
        values.read_positive,
        ("SENTRIAL_FLUSH_INTERVAL",),
        "0.5",
        "seconds that a span waits for company",
    ),
    "flush_timeout": Setting(
        values.read_positive,
        ("SENTRIAL_FLUSH_TIMEOUT",),
        "5",
        "seconds that the end of the program may wait for delivery",
    ),
    "retry_timeout": Setting(
        values.read_positive,
        ("SENTRIAL_RETRY_TIMEOUT",),
        "300",
        "seconds that one batch is tried again",
    ),
}
"""Every setting: one row each."""
