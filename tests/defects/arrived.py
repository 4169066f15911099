"""What arrived, as sessions with their events: at the stand-in of the old REST API, and at Sentrial's OTLP stand-in."""

from __future__ import annotations

import json
from typing import Any

from defects.seen import Event, Session
from receivers import OldRestApi, SentrialStandIn
from receivers.sentrial import key_of

Span = dict[str, Any]


def sessions_at(receiver: OldRestApi | SentrialStandIn) -> list[Session]:
    """Every session that ``receiver`` stored, in the order of arrival."""
    return _of_rest(receiver) if isinstance(receiver, OldRestApi) else _of_spans(receiver)


# --- the old REST API ------------------------------------------------------------------------------------------------

_KINDS = {"llm_decision": "decision"}


def _of_rest(receiver: OldRestApi) -> list[Session]:
    keys = {request.body: key_of(request) for request in receiver.requests}
    found = []
    for stored in receiver.sessions:
        done: dict[str, Any] = stored.completed[-1] if stored.completed else {}
        found.append(
            Session(
                stored.id,
                user=stored.created.get("userId"),
                agent=stored.created.get("agentName"),
                input=done.get("userInput"),
                output=done.get("assistantOutput"),
                status=done.get("status", "open"),
                cost=done.get("estimatedCost"),
                key=next((key for body, key in keys.items() if _read(body) == stored.created), None),
                events=[_event(body) for body in stored.events],
                own_text=_text([stored.created, *stored.completed]),
            )
        )
    return found


def _event(body: dict[str, Any]) -> Event:
    kind = body["eventType"]
    return Event(
        _KINDS.get(kind, kind), body.get("toolName"), body.get("toolInput"), body.get("toolOutput"), _text(body)
    )


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


# --- OTLP ------------------------------------------------------------------------------------------------------------


def _of_spans(receiver: SentrialStandIn) -> list[Session]:
    """A span that came twice counts once: it has an id."""
    spans: dict[tuple[str, str], Span] = {}
    keys: dict[tuple[str, str], str] = {}
    for request in receiver.requests:
        for span in request.spans:
            identity = (span["trace_id"], span["span_id"])
            spans.setdefault(identity, span)
            keys.setdefault(identity, key_of(request))
    sessions: dict[str, Session] = {}
    for identity, span in spans.items():
        if _kind(span) == "session" and span["attributes"].get("gen_ai.operation.name") == "invoke_agent":
            session = sessions.setdefault("-".join(identity), Session("-".join(identity)))
            _complete(session, span, keys[identity])
    for span in spans.values():
        if _kind(span) != "session":
            owner = _owner(span, spans)
            session = sessions.setdefault(owner, Session(owner, user=span["attributes"].get("user.id")))
            session.events.append(_event_of(span))
    return list(sessions.values())


def _complete(session: Session, span: Span, key: str) -> None:
    found = span["attributes"]
    session.user, session.agent, session.key = found.get("user.id"), found.get("gen_ai.agent.name"), key
    session.input = _words(found.get("gen_ai.input.messages"))
    session.output = _words(found.get("gen_ai.output.messages"))
    session.status = found["sentrial.session.outcome"]
    session.cost = found.get("sentrial.estimated_cost")
    session.own_text = _text(span)


def _event_of(span: Span) -> Event:
    found = span["attributes"]
    return Event(
        _kind(span),
        found.get("gen_ai.tool.name"),
        _value(found.get("gen_ai.tool.call.arguments")),
        _value(found.get("gen_ai.tool.call.result")),
        _text(span),
    )


def _kind(span: Span) -> str:
    kind: str = span["attributes"].get("sentrial.event.type", "")
    return kind


def _owner(span: Span, spans: dict[tuple[str, str], Span]) -> str:
    """The session that ``span`` stands in: the nearest one above it that arrived, else the one that it names."""
    above = span
    while (parent := spans.get((above["trace_id"], above["parent_span_id"]))) is not None:
        if _kind(parent) == "session":
            return f"{parent['trace_id']}-{parent['span_id']}"
        above = parent
    session_id: str = span["attributes"].get("sentrial.session.id", "")
    return session_id


def _words(messages: str | None) -> str | None:
    if messages is None:
        return None
    parts = [part for message in json.loads(messages) for part in message["parts"]]
    return "".join(str(part.get("content", part)) for part in parts)


def _value(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _text(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False)
