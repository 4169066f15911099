"""Doors for OpenTelemetry: what other instrumentations say of models and agents, without a session of ours, goes to
Sentrial too.

There, each trace is a session and each of its spans an event, as it is: names, ids, times, texts, tokens, errors. They
go the way of all our spans: masked, queued, encoded and sent on a thread of ours.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from sentrial import _config, _guard, _setup, semconv
from sentrial._export.ai_rules import AiRules
from sentrial._export.door import Door

_PROJECT = "SENTRIAL_PROJECT"


class SentrialSpanProcessor(Door):
    """A span processor for a ``TracerProvider`` of your own: traces of AI spans become sessions at Sentrial.

    Needs no ``configure()``, patches no client, and opens no connection before the first span. A span that starts
    inside a session of ours goes with the whole session to the account that the session belongs to, whatever the
    filter says. Several processors with different keys each send what they are asked for; with one key, a span is sent
    once.

    A span whose parent is left out hangs on the nearest one above it that is sent, or becomes a root. To know that, it
    waits until the spans above it have ended: one minute at most, and never for a flush.

    Args:
        api_key: your key; else that of ``configure()``, else ``SENTRIAL_API_KEY``. Without any, spans are kept in the
            local store.
        api_url: Sentrial's address; else that of ``configure()``, else ``SENTRIAL_API_URL``, else the public one.
        project: the agent's name in traces that say none; else ``SENTRIAL_PROJECT``.
        filter_ai_spans: ``False`` sends all spans, not only those whose attributes or scope are of a known AI dialect
            (``gen_ai.*``, ``llm.*``, ``ai.*``, ``openinference.*``, ``traceloop.*`` and so on).
        custom_filter: called with each span that has ended outside a session: ``True`` sends it, ``False`` leaves it
            out, ``None`` leaves it to ``filter_ai_spans``.
        user_id_attribute: the attribute under which your spans name the user.
    """

    def __init__(
        self,
        api_key: str | None = None,
        api_url: str | None = None,
        project: str | None = None,
        filter_ai_spans: bool = True,
        custom_filter: Callable[[Any], bool | None] | None = None,
        user_id_attribute: str = semconv.USER_ID,
    ) -> None:
        rules = _read_rules(api_key, api_url, project, filter_ai_spans, custom_filter, user_id_attribute)
        super().__init__(_setup.outside_sessions(rules))


def setup_otel_tracing(
    project: str | None = None, api_key: str | None = None, filter_ai_spans: bool = True
) -> None:  # fmt: skip
    """Have the traces of AI spans in this process become sessions at Sentrial.

    A global ``TracerProvider`` that exists is used and stays; else ours is built, and is the global one from now on.
    Called again, the new arguments replace those of before. :func:`sentrial.shutdown` ends it.

    Args:
        project: the agent's name in traces that say none; else ``SENTRIAL_PROJECT``.
        api_key: your key; else that of ``configure()``, else ``SENTRIAL_API_KEY``.
        filter_ai_spans: ``False`` sends all spans outside sessions, not only AI spans.
    """
    _setup.open_global_door(_read_rules(api_key, None, project, filter_ai_spans, None, semconv.USER_ID))


def _read_rules(
    api_key: str | None,
    api_url: str | None,
    project: Any,
    filter_ai_spans: Any,
    custom_filter: Any,
    user_id_attribute: Any,
) -> AiRules:
    read = _config.read_config({"api_key": api_key, "api_url": api_url})
    if custom_filter is not None and not callable(custom_filter):
        custom_filter = _refuse("custom_filter", custom_filter, "a function from a span to True, False or None")
    if not isinstance(user_id_attribute, str) or not user_id_attribute:
        user_id_attribute = _refuse("user_id_attribute", user_id_attribute, "the name of an attribute")
    if project is not None and not isinstance(project, str):
        project = _refuse("project", project, "a text")
    return AiRules(
        filter_ai_spans=bool(filter_ai_spans),
        custom_filter=custom_filter,
        project=(project or "").strip() or os.environ.get(_PROJECT, "").strip() or None,
        user_id_attribute=user_id_attribute or semconv.USER_ID,
        # What is not given is asked for when it is needed: configure() may yet come.
        api_key=None if api_key is None else read.api_key,
        api_url=None if api_url is None else read.api_url,
    )


def _refuse(name: str, value: object, remedy: str) -> Any:
    words = f"{name}={_guard.shown(value)} is not usable: it must be {remedy}."
    _guard.say_once(f"otel {words}", "sentrial: %s It is ignored.", words)
    return None
