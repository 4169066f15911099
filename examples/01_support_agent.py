"""A support agent's session: two model calls, two tools, a decision and an outcome.

The model calls are recorded without a changed line: `begin()` patches the OpenAI client. Nothing is configured here, so
the session goes to the local store; set SENTRIAL_API_KEY or OTEL_EXPORTER_OTLP_ENDPOINT and the same program sends it
there. Look at it with `sentrial sessions show last`.
"""

import json
import time

from offline_model import asks_for, offline_model, says
from openai import OpenAI

import sentrial

QUESTION = "I was charged twice for order 1042. Can I have my money back?"
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "look_up_order",
            "description": "Find an order and its payments",
            "parameters": {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]},
        },
    },
    {
        "type": "function",
        "function": {
            "name": "refund",
            "description": "Pay one payment of an order back",
            "parameters": {"type": "object", "properties": {"payment_id": {"type": "string"}}},
        },
    },
]


def look_up_order(order_id: str) -> dict:
    time.sleep(0.03)
    payments = [{"id": "pay_71", "amount": 49.0}, {"id": "pay_72", "amount": 49.0}]
    return {"order_id": order_id, "total": 49.0, "payments": payments}


def refund(payment_id: str) -> dict:
    time.sleep(0.02)
    return {"payment_id": payment_id, "refunded": 49.0}


def answer(client: OpenAI, session: sentrial.Interaction, question: str) -> str:
    messages = [
        {"role": "system", "content": "You are the support agent of a small shop. Be brief and kind."},
        {"role": "user", "content": question},
    ]
    reply = client.chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS, temperature=0.2)
    messages.append(reply.choices[0].message)

    for call in reply.choices[0].message.tool_calls:
        arguments = json.loads(call.function.arguments)
        with session.tool(call.function.name, arguments, call_id=call.id) as tool:
            order = look_up_order(**arguments)
            tool.set_output(order)
        messages.append({"role": "tool", "tool_call_id": call.id, "content": json.dumps(order)})

    with session.decision(
        reasoning="Two payments for one order, each of the full amount: the second one is a duplicate.",
        alternatives=["escalate_to_human", "ask_for_a_receipt"],
    ) as decision:
        decision.choose("refund_the_second_payment", confidence=0.94)

    with session.tool("refund", {"payment_id": order["payments"][1]["id"]}, reasoning="Pay the duplicate back") as tool:
        tool.set_output(refund(order["payments"][1]["id"]))
    messages.append({"role": "system", "content": "Payment pay_72 has been refunded: 49.00."})

    reply = client.chat.completions.create(model="gpt-4o", messages=messages)
    return reply.choices[0].message.content


def main() -> None:
    with offline_model(
        asks_for("call_1", "look_up_order", {"order_id": "1042"}),
        says("You were indeed charged twice, I am sorry. The second payment of 49.00 is on its way back to you."),
    ) as base_url:
        session = sentrial.begin(
            user_id="user_123",
            event="support-agent",
            input=QUESTION,
            convo_id="conv_456",
            metadata={"channel": "web_chat", "order": 1042},
        )
        text = answer(OpenAI(api_key="not-needed-offline", base_url=base_url), session, QUESTION)
        session.finish(output=text, success=True, custom_metrics={"satisfaction": 4.5})

    print(f"User:  {QUESTION}\nAgent: {text}\n")
    sentrial.flush()


if __name__ == "__main__":
    main()
