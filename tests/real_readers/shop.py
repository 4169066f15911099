"""A shop's agents: the program whose sessions the readers are shown. It sends to the endpoint it is given.

    python -m real_readers.shop http://127.0.0.1:4318

The model is canned, the client that calls it is the real one. Prints the ids of the sessions as JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from openai import OpenAI

import sentrial
from fake_provider import Answer, FakeProvider

QUESTION = "I was charged twice for order 1042. Can I have my money back?"
REFUNDED = "The second payment of 49.00 is on its way back to you."
FOLLOW_UP = "When will it arrive?"
IN_THREE_DAYS = "In three days, on the card you paid with."
UNHAPPY = "Cancel my order 7."
TOOLS: Any = [{"type": "function", "function": {"name": "look_up_order", "parameters": {"type": "object"}}}]


class WarehouseClosedError(Exception):
    """What the failed session fails of."""


def main(endpoint: str) -> None:
    """Three sessions: two of ada's in one conversation, and one of bob's, which fails."""
    with FakeProvider() as model:
        sentrial.configure(otlp_endpoint=endpoint)
        client = OpenAI(api_key="not-needed-offline", base_url=model.base_url)
        model.queue(*(Answer(body=body) for body in ANSWERS))
        print(json.dumps({"refund": refund(client), "follow_up": follow_up(client), "failed": failed(client)}))
        assert sentrial.flush(30)


def refund(client: OpenAI) -> str:
    """Everything there is: model calls, tools, a decision, an agent inside."""
    messages: list[Any] = [
        {"role": "system", "content": "You are the support agent of a small shop."},
        {"role": "user", "content": QUESTION},
    ]
    with sentrial.begin(
        user_id="ada", event="support-agent", input=QUESTION, convo_id="conv-ada", metadata={"channel": "web"}
    ) as session:
        reply: Any = client.chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS)
        call = reply.choices[0].message.tool_calls[0]
        with session.tool("look_up_order", {"order_id": "1042"}, call_id=call.id) as tool:
            tool.set_output({"order_id": "1042", "payments": ["pay_71", "pay_72"]})
        with session.decision("Two payments for one order", ["escalate", "refund"]) as decision:
            decision.choose("refund", confidence=0.94)
        with sentrial.begin(user_id="ada", event="refund-agent", input="Pay pay_72 back") as inner:
            with inner.llm("o3", provider="openai", input="May pay_72 be paid back?") as thinking:
                thinking.set_output("Yes: it is a duplicate.", finish_reason="stop")
                thinking.set_usage(prompt_tokens=5_000, completion_tokens=3_000, reasoning_tokens=2_560)
            with inner.tool("pay_back", {"payment": "pay_72"}) as tool:
                tool.set_output({"paid_back": 49.0})
                tool.set_cost(0.25)
            inner.set_output("pay_72 is paid back.")
        with session.llm("house-model", provider="shop", input="Say it kindly") as own:
            own.set_output(REFUNDED)
            own.set_usage(prompt_tokens=40, completion_tokens=15, estimated_cost=0.02)
        session.set_output(REFUNDED)
        return str(session.session_id)


def follow_up(client: OpenAI) -> str:
    """The same user in the same conversation; an error on the way, but all is well in the end."""
    with sentrial.begin(user_id="ada", event="support-agent", input=FOLLOW_UP, convo_id="conv-ada") as session:
        session.track_error("the bank did not answer at once", error_type="BankTimeout")
        reply = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": FOLLOW_UP}])
        session.finish(output=reply.choices[0].message.content, success=True)
        return str(session.session_id)


def failed(client: OpenAI) -> str:
    """Another user, no conversation: the model answers, a tool does not."""
    try:
        with sentrial.begin(user_id="bob", event="support-agent", input=UNHAPPY) as session:
            session_id = str(session.session_id)
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": UNHAPPY}])
            with session.tool("cancel_order", {"order_id": "7"}):
                raise WarehouseClosedError("the warehouse is closed")
    except WarehouseClosedError:
        return session_id


def _completion(number: int, message: dict[str, Any], prompt: int, completion: int, cached: int) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-shop-{number}",
        "object": "chat.completion",
        "created": 1790000000 + number,
        "model": "gpt-4o-2024-08-06",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": None, **message},
                "finish_reason": "tool_calls" if "tool_calls" in message else "stop",
            }
        ],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": cached},
        },
    }


_ASKED = {"id": "call_1", "type": "function", "function": {"name": "look_up_order", "arguments": '{"order_id":"1042"}'}}
ANSWERS = [
    _completion(1, {"tool_calls": [_ASKED]}, 12_000, 3_400, 2_000),
    _completion(2, {"content": IN_THREE_DAYS}, 8_000, 600, 0),
    _completion(3, {"content": "I will."}, 3_000, 200, 0),
]

if __name__ == "__main__":
    main(sys.argv[1])
