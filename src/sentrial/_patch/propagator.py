"""The session's identity on the way of the trace: around the configured propagator, which goes on doing the work.

Only where ``propagate_session`` or ``trust_incoming`` asks for it. What leaves gets its entry in the baggage for the
time of the writing, and only on the way to where it may go: an HTTP client's span says where that is. What arrives has
it taken out, believed or not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)
from opentelemetry.trace import SpanKind, get_current_span

from sentrial import _baggage, _config, _guard, semconv
from sentrial._config import Config
from sentrial._patch.switch import Switch
from sentrial._spans import source

_switch = Switch()

_BAGGAGE_HEADER = "baggage"

_BY_HAND = otel_context.create_key("sentrial-injected-by-hand")
_ROLL_CALL = otel_context.create_key("sentrial-roll-call")


class SessionPropagator(TextMapPropagator):
    """``configured``, with the session's identity in the baggage that it reads and writes."""

    def __init__(self, configured: TextMapPropagator) -> None:
        self.configured = configured

    def inject(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        setter: Setter[CarrierT] = default_setter,
    ) -> None:
        """Write ``context`` into ``carrier``, with the session where it may go along."""
        if _switch.on:
            present = otel_context.get_value(_ROLL_CALL, context)
            if isinstance(present, list):
                present.append(self)
            context = _outgoing(context)
        self.configured.inject(carrier, context, setter)

    def extract(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        getter: Getter[CarrierT] = default_getter,
    ) -> Context:
        """Read a context from ``carrier``, with the session in it that is to be believed."""
        found = self.configured.extract(carrier, context, getter)
        # Without any propagator configured, nothing comes back.
        return _incoming(found) if _switch.on and found is not None else found

    @property
    def fields(self) -> set[str]:
        """The configured one's."""
        return self.configured.fields

    def __getattr__(self, name: str) -> Any:
        if name == "configured":
            raise AttributeError(name)
        return getattr(self.configured, name)


@_guard.guarded("standing around the propagator", _guard.nothing)
def install(config: Config) -> None:
    """Stand around the global propagator from now on, where ``config`` asks for it; else step aside."""
    if not (config.enabled and (config.propagate_session or config.trust_incoming)):
        uninstall()
        return
    propagate = _propagate()
    if propagate is None:
        return
    _switch.on = True
    configured = propagate.get_global_textmap()
    _need_baggage(configured)
    if not isinstance(configured, SessionPropagator):
        propagate.set_global_textmap(SessionPropagator(configured))


@_guard.guarded("stepping aside from the propagator", _guard.nothing)
def uninstall() -> None:
    """Put the configured one back; where somebody else stands around ours by now, only step aside."""
    propagate = _propagate() if _switch.on else None
    if propagate is None:
        return
    _switch.on = False
    found = propagate.get_global_textmap()
    if isinstance(found, SessionPropagator):
        propagate.set_global_textmap(found.configured)


def is_asked() -> bool | None:
    """Whether the global propagator still asks ours; ``None`` where none of ours is wanted.

    One that the program has set since stands in its place, or around it.
    """
    propagate = _propagate() if _switch.on else None
    if propagate is None:
        return None
    present: list[TextMapPropagator] = []
    propagate.inject({}, otel_context.set_value(_ROLL_CALL, present, Context()))
    return bool(present)


def inject_by_hand(carrier: Any, context: Context, setter: Setter[Any]) -> None:
    """Write ``context`` into ``carrier`` as the configured propagators do, with its session, wherever it goes."""
    propagate = _propagate()
    if propagate is None:
        return
    try:
        session = _baggage.session_in(context)
        if session is None:
            context = _baggage.without_session(context)
        else:
            _need_baggage(propagate.get_global_textmap())
            context = _baggage.with_session(session, context)
    except Exception as error:  # noqa: BLE001 - the application's message has to leave
        _guard.failed("sending a session along", error)
    propagate.inject(carrier, otel_context.set_value(_BY_HAND, True, context), setter)


def extract_by_hand(carrier: Any, context: Context, getter: Getter[Any]) -> Context:
    """``context`` with what ``carrier`` holds, as the configured propagators read it, the session not yet looked at."""
    propagate = _propagate()
    if propagate is None:
        return context
    found = propagate.extract(carrier, otel_context.set_value(_BY_HAND, True, context), getter)
    return otel_context.set_value(_BY_HAND, False, found)


def _propagate() -> Any:
    """OpenTelemetry's module, whose import reads ``OTEL_PROPAGATORS``; ``None`` where that names something unknown."""
    try:
        from opentelemetry import propagate
    except Exception as error:  # noqa: BLE001 - propagators are anybody's
        _guard.say_once(
            "propagators",
            "sentrial: OpenTelemetry's propagators cannot be loaded (%s), so that neither traces nor sessions cross to "
            "other processes. Correct OTEL_PROPAGATORS.",
            _guard.shown(error, str),
        )
        return None
    return propagate


def _need_baggage(configured: TextMapPropagator) -> None:
    fields = configured.fields
    if _BAGGAGE_HEADER not in fields:
        _guard.say_once(
            "no baggage",
            "sentrial: sessions do not go along to other processes, and are not received: the propagators of this "
            "program leave baggage out (they write: %s). Add it to OTEL_PROPAGATORS, as in tracecontext,baggage.",
            ", ".join(sorted(fields)) or "nothing",
        )


def _outgoing(context: Context | None) -> Context | None:
    try:
        whole = otel_context.get_current() if context is None else context
        if otel_context.get_value(_BY_HAND, whole):
            return context
        session = _baggage.session_in(whole)
        if session is not None and _may_go(whole):
            return _baggage.with_session(session, whole)
        return _baggage.without_session(whole)
    except Exception as error:  # noqa: BLE001 - the application's request has to leave
        _guard.failed("sending a session along", error)
        return context


def _incoming(context: Context) -> Context:
    if otel_context.get_value(_BY_HAND, context):
        return context
    try:
        found, session = _baggage.take_session(context, trusted=_config.active.trust_incoming)
        if session is not None:
            source.tracer()  # the request's own span is the first that needs the provider that ours go through
        return found
    except Exception as error:  # noqa: BLE001 - the application's request has to be served
        _guard.failed("receiving a session", error)
        return context


def _may_go(context: Context) -> bool:
    allowed = _config.active.propagate_session
    if isinstance(allowed, bool):
        return allowed
    hosts = _hosts(context)
    return bool(hosts) and all(_is_one_of(host, allowed) for host in hosts)


def _hosts(context: Context) -> set[str]:
    """Where the request goes that is being made in ``context``, by all that its span says; empty where it says nothing.

    A span that does not record says nothing.
    """
    span: Any = get_current_span(context)
    attributes = getattr(span, "attributes", None)
    if getattr(span, "kind", None) is not SpanKind.CLIENT or not isinstance(attributes, Mapping):
        return set()
    hosts = set()
    for key in semconv.KEYS_OF_A_HOST:
        if isinstance(value := attributes.get(key), str):
            hosts.add(value.lower())
    for key in semconv.KEYS_OF_AN_ADDRESS:
        if isinstance(value := attributes.get(key), str):
            hosts.add(_host_of(value))
    return hosts


def _host_of(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""


def _is_one_of(host: str, allowed: tuple[str, ...]) -> bool:
    return any(_pattern(each).fullmatch(host) for each in allowed)


@lru_cache(maxsize=1_000)
def _pattern(allowed: str) -> re.Pattern[str]:
    return re.compile(".+".join(re.escape(part) for part in allowed.split("*")))
