"""A support agent's session as the SDK records it: a failed tool, a decision, model calls, a sub-agent, an error."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, format_span_id, format_trace_id

from fixed_spans.maker import Maker, at
from sentrial import semconv as s

QUESTION = "Where is my order 1042? It should have arrived on Monday, and the tracking page has not changed since."
POLICY = (
    "Orders more than three days late are refunded in full when the customer asks for it. Ask first whether they would "
    "rather wait. Refunds above $200 need a second pair of eyes: hand the conversation to the payments team, and tell "
    "the customer how long that takes. Never promise a delivery date that the carrier has not confirmed in writing."
)
ANSWER = "I am sorry that your order is late. I could not refund it myself, so a colleague of the payments team will."


def support_agent() -> Sequence[ReadableSpan]:
    """The spans of the session, in the order in which they end: the root is the last one."""
    maker = Maker(1)
    root = maker.start("invoke_agent support-agent", 0.0, attributes=_opening())
    context = root.get_span_context()
    session_id = f"{format_trace_id(context.trace_id)}-{format_span_id(context.span_id)}"
    root.set_attribute(s.SENTRIAL_SESSION_ID, session_id)
    stamp = {s.SENTRIAL_SESSION_ID: session_id, s.SESSION_ID: "conv_456", s.USER_ID: "user_123"}

    history = [_message("user", QUESTION)]
    asked = {"type": "tool_call", "id": "call_1", "name": "lookup_order", "arguments": {"order_id": 1042}}
    reply = {"role": "assistant", "parts": [asked], "finish_reason": "tool_calls"}
    _model_call(maker, root, stamp, 0.02, 0.87, history, reply, tokens=(412, 31), cost=0.00134)

    found = {"order_id": 1042, "status": "in transit", "carrier": "Rødkær Cargo", "days_late": 4, "total": 249.9}
    _tool(maker, root, stamp, "lookup_order", 0.9, 1.04, {"order_id": 1042}, found, cost=0.0002)

    decision = maker.start(
        "decision support-agent",
        1.05,
        root,
        {
            **stamp,
            s.SENTRIAL_EVENT_TYPE: s.EVENT_DECISION,
            s.SENTRIAL_DECISION_CHOSEN: "refund",
            s.SENTRIAL_DECISION_ALTERNATIVES: ["refund", "reship", "apologise and wait"],
            s.SENTRIAL_DECISION_CONFIDENCE: 0.85,
            s.SENTRIAL_DECISION_REASONING: "Four days late, and the policy refunds after three.",
        },
    )
    agent = maker.start(
        "invoke_agent policy-agent",
        1.06,
        decision,
        {**stamp, s.SENTRIAL_EVENT_TYPE: s.EVENT_SESSION, s.GEN_AI_AGENT_NAME: "policy-agent"},
    )
    _tool(maker, agent, stamp, "search_policy", 1.1, 1.35, {"query": "late order"}, {"result": POLICY})
    agent.end(at(1.36))
    decision.end(at(1.4))

    refund = maker.start("execute_tool issue_refund", 1.42, root, {**stamp, **_tool_words("issue_refund")})
    refund.set_attribute(s.GEN_AI_TOOL_CALL_ARGUMENTS, json.dumps({"order_id": 1042, "amount": 249.9}))
    refund.set_attribute(s.SENTRIAL_REASONING, "The customer asked for the money back.")
    _fail(refund, "PaymentLimitError", "249.90 is above the limit of 200.00")
    refund.end(at(2.17))

    maker.add("POST", 1.45, 2.15, parent=refund, attributes=stamp, kind=SpanKind.CLIENT)
    error = maker.start("error", 2.2, root, {**stamp, s.SENTRIAL_EVENT_TYPE: s.EVENT_ERROR})
    _fail(error, "EscalationNeeded", "refund above the agent's limit", stack="Traceback ...\n  refund(1042)\n")
    error.end(at(2.2))

    history += [reply, _message("tool", "4 days late"), _message("user", "Then I would like my money back, please.")]
    _model_call(
        maker, root, stamp, 2.25, 3.4, history, _message("assistant", ANSWER), tokens=(1_088, 469), cost=0.02146
    )
    _finish(root)
    root.end(at(3.42))
    return maker.ended


def _opening() -> dict[str, Any]:
    return {
        s.GEN_AI_OPERATION_NAME: s.OPERATION_INVOKE_AGENT,
        s.GEN_AI_AGENT_NAME: "support-agent",
        s.SENTRIAL_EVENT_TYPE: s.EVENT_SESSION,
        s.SENTRIAL_SESSION_NAME: "Customer Support Request",
        s.SESSION_ID: "conv_456",
        s.USER_ID: "user_123",
        s.GEN_AI_CONVERSATION_ID: "conv_456",
        s.SENTRIAL_METADATA_PREFIX + "ticket_id": "TKT-789",
        s.SENTRIAL_METADATA_PREFIX + "channel": "web_chat",
        s.SENTRIAL_METADATA_PREFIX + "priority": "high",
    }


def _finish(root: Span) -> None:
    root.set_attributes(
        {
            s.GEN_AI_INPUT_MESSAGES: json.dumps([_message("user", QUESTION)]),
            s.GEN_AI_OUTPUT_MESSAGES: json.dumps([_message("assistant", ANSWER)]),
            s.SENTRIAL_SESSION_OUTCOME: "failed",
            s.SENTRIAL_SESSION_SUCCESS: False,
            s.SENTRIAL_SESSION_FAILURE_REASON: "refund needs a second pair of eyes",
            s.GEN_AI_USAGE_INPUT_TOKENS: 1_500,
            s.GEN_AI_USAGE_OUTPUT_TOKENS: 500,
            s.SENTRIAL_USAGE_TOTAL_TOKENS: 2_000,
            s.SENTRIAL_ESTIMATED_COST: 0.023,
            s.SENTRIAL_SESSION_LLM_CALLS: 2,
            s.SENTRIAL_SESSION_TOOL_CALLS: 3,
            s.SENTRIAL_SESSION_DECISIONS: 1,
            s.SENTRIAL_SESSION_ERRORS: 1,
            s.SENTRIAL_METRIC_PREFIX + "satisfaction": 2.5,
            s.SENTRIAL_METRIC_PREFIX + "resolution_time": 120.0,
        }
    )
    root.set_status(Status(StatusCode.ERROR, "refund needs a second pair of eyes"))


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _model_call(
    maker: Maker,
    root: Span,
    stamp: dict[str, str],
    begin: float,
    end: float,
    history: list[dict[str, Any]],
    reply: dict[str, Any],
    *,
    tokens: tuple[int, int],
    cost: float,
) -> None:
    said = {
        **stamp,
        s.SENTRIAL_EVENT_TYPE: s.EVENT_LLM_CALL,
        s.GEN_AI_OPERATION_NAME: s.OPERATION_CHAT,
        s.GEN_AI_PROVIDER_NAME: "openai",
        s.GEN_AI_REQUEST_MODEL: "gpt-4o",
        s.GEN_AI_RESPONSE_MODEL: "gpt-4o-2024-08-06",
        s.GEN_AI_RESPONSE_FINISH_REASONS: ["stop"],
        s.GEN_AI_SYSTEM_INSTRUCTIONS: json.dumps([{"type": "text", "content": "You help customers. Be kind."}]),
        s.GEN_AI_INPUT_MESSAGES: json.dumps(history),
        s.GEN_AI_OUTPUT_MESSAGES: json.dumps([reply]),
        s.GEN_AI_USAGE_INPUT_TOKENS: tokens[0],
        s.GEN_AI_USAGE_OUTPUT_TOKENS: tokens[1],
        s.SENTRIAL_ESTIMATED_COST: cost,
    }
    maker.add("chat gpt-4o", begin, end, parent=root, attributes=said, kind=SpanKind.CLIENT)


def _tool_words(name: str) -> dict[str, Any]:
    return {
        s.SENTRIAL_EVENT_TYPE: s.EVENT_TOOL_CALL,
        s.GEN_AI_OPERATION_NAME: s.OPERATION_EXECUTE_TOOL,
        s.GEN_AI_TOOL_NAME: name,
        s.GEN_AI_AGENT_NAME: "support-agent",
    }


def _tool(
    maker: Maker,
    parent: Span,
    stamp: dict[str, str],
    name: str,
    begin: float,
    end: float,
    arguments: dict[str, Any],
    result: dict[str, Any],
    cost: float | None = None,
) -> None:
    said = {**stamp, **_tool_words(name)}
    said[s.GEN_AI_TOOL_CALL_ARGUMENTS] = json.dumps(arguments)
    said[s.GEN_AI_TOOL_CALL_RESULT] = json.dumps(result)
    if cost is not None:
        said[s.SENTRIAL_ESTIMATED_COST] = cost
    maker.add(f"execute_tool {name}", begin, end, parent=parent, attributes=said)


def _fail(span: Span, kind: str, message: str, stack: str = "Traceback ...") -> None:
    span.set_attribute(s.ERROR_TYPE, kind)
    span.set_status(Status(StatusCode.ERROR, message))
    span.add_event(
        s.EXCEPTION_EVENT,
        {s.EXCEPTION_TYPE: kind, s.EXCEPTION_MESSAGE: message, s.EXCEPTION_STACKTRACE: stack},
        at(2.0),
    )
