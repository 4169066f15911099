"""A test session, and one try to send it to each destination, by the senders that real sessions go by."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags

from sentrial import semconv
from sentrial._export.destination import Destination
from sentrial._export.encode_json import encode_json
from sentrial._export.http_verdict import HttpAnswer
from sentrial._export.send_grpc import GrpcSender
from sentrial._export.send_http import HttpSender
from sentrial._export.text import without_password
from sentrial._export.verdict import Refused, Verdict
from sentrial._session import format_id
from sentrial._version import __version__

AGENT = "sentrial-doctor"
NAME = "sentrial doctor: test session"
TOOL = "test_session"
_QUESTION = "Does this session arrive?"
_ANSWER = "It does, if you can read this."

GRPC = "grpc"
HTTP_JSON = "http/json"
HTTP_PROTOBUF = "http/protobuf"
FILE = "file"


@dataclass(frozen=True, slots=True)
class TrialSession:
    """A session that a reader can tell from real ones: its agent is ``sentrial-doctor``."""

    id: str
    spans: Sequence[ReadableSpan]


@dataclass(slots=True)
class Trial:
    """What became of one try. ``verdict`` is ``None`` while there is none. Times in seconds.

    ``answer`` is what an HTTP server said, ``at`` when it came (Unix time); ``proxy`` is what the request went through.
    """

    endpoint: str = ""
    protocol: str = ""
    proxy: str | None = None
    verdict: Verdict | None = None
    seconds: float = 0.0
    answer: HttpAnswer | None = None
    at: float = 0.0


def build_trial_session(resource: Resource | None, *, content: bool) -> TrialSession:
    """A session with one tool call. ``content``: whether it may hold texts. It touches no provider and no context."""
    ids, now = RandomIdGenerator(), time.time_ns()
    trace_id = ids.generate_trace_id()
    root, tool = (
        SpanContext(trace_id, ids.generate_span_id(), False, TraceFlags(TraceFlags.SAMPLED)) for _ in range(2)
    )
    session_id = format_id(root)
    common: dict[str, Any] = {
        semconv.GEN_AI_AGENT_NAME: AGENT,
        semconv.SENTRIAL_SESSION_ID: session_id,
        semconv.SESSION_ID: session_id,
        semconv.USER_ID: AGENT,
    }
    of_root = {
        **common,
        semconv.GEN_AI_OPERATION_NAME: semconv.OPERATION_INVOKE_AGENT,
        semconv.SENTRIAL_EVENT_TYPE: semconv.EVENT_SESSION,
        semconv.SENTRIAL_SESSION_NAME: NAME,
        f"{semconv.SENTRIAL_METADATA_PREFIX}test": True,
        semconv.SENTRIAL_SESSION_OUTCOME: semconv.OUTCOME_COMPLETED,
        semconv.SENTRIAL_SESSION_SUCCESS: True,
        semconv.SENTRIAL_SESSION_LLM_CALLS: 0,
        semconv.SENTRIAL_SESSION_TOOL_CALLS: 1,
        semconv.SENTRIAL_SESSION_DECISIONS: 0,
        semconv.SENTRIAL_SESSION_ERRORS: 0,
    }
    of_tool = {
        **common,
        semconv.GEN_AI_OPERATION_NAME: semconv.OPERATION_EXECUTE_TOOL,
        semconv.SENTRIAL_EVENT_TYPE: semconv.EVENT_TOOL_CALL,
        semconv.GEN_AI_TOOL_NAME: TOOL,
        semconv.GEN_AI_TOOL_TYPE: semconv.TOOL_TYPE_FUNCTION,
    }
    if content:
        of_root[semconv.GEN_AI_INPUT_MESSAGES] = _message("user", _QUESTION)
        of_root[semconv.GEN_AI_OUTPUT_MESSAGES] = _message("assistant", _ANSWER, finish_reason="stop")
        of_tool[semconv.GEN_AI_TOOL_CALL_ARGUMENTS] = json.dumps({"version": __version__})
        of_tool[semconv.GEN_AI_TOOL_CALL_RESULT] = json.dumps({"result": "sent"})
    resource = Resource.create() if resource is None else resource
    scope = InstrumentationScope("sentrial", __version__, semconv.SCHEMA_URL)

    def span(name: str, context: SpanContext, parent: SpanContext | None, attributes: dict[str, Any]) -> ReadableSpan:
        return ReadableSpan(
            name,
            context,
            parent,
            resource,
            attributes,
            kind=SpanKind.INTERNAL,
            start_time=now - 1_000_000,
            end_time=now,
            instrumentation_scope=scope,
        )

    return TrialSession(
        session_id,
        (
            span(f"{semconv.OPERATION_EXECUTE_TOOL} {TOOL}", tool, root, of_tool),
            span(f"{semconv.OPERATION_INVOKE_AGENT} {AGENT}", root, None, of_root),
        ),
    )


def describe(destination: Destination) -> Trial:
    """Where ``destination`` sends and how, before anything is sent."""
    sender = getattr(destination, "sender", None)
    if isinstance(sender, HttpSender):
        is_json = getattr(destination, "encoder", None) is encode_json
        return Trial(sender.endpoint, HTTP_JSON if is_json else HTTP_PROTOBUF, _proxy(sender.endpoint))
    if isinstance(sender, GrpcSender):
        return Trial(sender.endpoint, GRPC, _proxy_of_grpc(sender.endpoint))
    return Trial(protocol=FILE)


def send_to_all(
    makers: Mapping[str, Callable[[], Destination]], session: TrialSession, timeout: float
) -> dict[str, Trial]:
    """Send ``session`` once to each destination, to all at the same time; who has not answered by then has no verdict.

    ``timeout``: seconds for all of them. A try that is still under way is left to itself.
    """
    trials = {name: Trial() for name in makers}
    threads = []
    for name, make in makers.items():
        thread = threading.Thread(
            target=_send, args=(make, session, trials, name), name=f"sentrial doctor {name}", daemon=True
        )
        thread.start()
        threads.append(thread)
    deadline = time.monotonic() + timeout
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(trials)


def _send(make: Callable[[], Destination], session: TrialSession, trials: dict[str, Trial], name: str) -> None:
    began = time.monotonic()
    try:
        destination = make()
    except Exception as error:  # noqa: BLE001 - whatever fails is what is to be told
        trials[name] = Trial(verdict=Refused(str(error)))
        return
    trials[name] = describe(destination)
    # Put in its place when it is whole: who has waited long enough reads what is there.
    done = replace(trials[name])
    sender = getattr(destination, "sender", None)
    if isinstance(sender, HttpSender):

        def seen(answer: HttpAnswer) -> None:
            done.answer, done.at = answer, time.time()

        sender.watch = seen
    try:
        done.verdict = destination.send(destination.encode(session.spans))
    except Exception as error:  # noqa: BLE001 - whatever fails is what is to be told
        done.verdict = Refused(f"{type(error).__name__}: {error}")
    done.seconds = time.monotonic() - began
    trials[name] = done
    destination.close()


def _message(role: str, text: str, **more: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}], **more}])


def _proxy(url: str) -> str | None:
    """The proxy that a request to ``url`` goes through, as requests finds it."""
    from requests.utils import get_environ_proxies, select_proxy

    found = select_proxy(url, get_environ_proxies(url, no_proxy=None))
    return None if found is None else without_password(found)


def _proxy_of_grpc(target: str) -> str | None:
    """The same for gRPC, which reads variables of its own, and those of others in small letters only."""
    found = next((text for name in _GRPC_PROXIES if (text := os.environ.get(name))), None)
    exceptions = next((text for name in _NO_GRPC_PROXIES if (text := os.environ.get(name))), "")
    host = target.rpartition(":")[0] or target
    if found is None or any(host.endswith(each.strip()) for each in exceptions.split(",") if each.strip()):
        return None
    return without_password(found)


_GRPC_PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")
_NO_GRPC_PROXIES = ("no_grpc_proxy", "no_proxy")
