"""A program as users of the old package wrote it. It runs unchanged on both: parameters in the old order, all of them.

Prints what the calls returned, as JSON. The address of the server is in `SENTRIAL_API_URL`.
"""

import asyncio
import json

import sentrial
from sentrial import (
    AsyncSentrialClient,
    BatcherConfig,
    EventType,
    SentrialClient,
    SessionContext,
    clear_session_context,
    get_current_interaction,
    get_current_session_id,
    get_session_context,
    session,
    set_session_context,
    tool,
)
from sentrial.redact import PiiBuiltinPatterns, PiiConfig, PiiCustomPattern

KEY = "sentrial_test_key"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7"
printed = {}


@tool("search_orders")
def search_orders(customer, limit=5):
    return {"orders": ["1042"], "limit": limit}


@tool
def refund(order):
    raise LookupError(f"no order {order}")


@tool(name="policy")
async def read_policy(topic):
    return {"text": f"about {topic}"}


@session("refund-agent")
def answer(user_id, message):
    printed["current_inside"] = get_current_session_id() is not None and get_current_interaction() is not None
    return {"response": f"{len(search_orders('ann')['orders'])} order"}


@session(agent_name="policy-agent", user_id_param="who", input_param="question")
async def answer_later(who, question):
    return (await read_policy(question))["text"]


def with_the_module():
    interaction = sentrial.begin(
        user_id="ann", event="chat", input="Mail ann@example.com about ORD-77", event_id="evt-1", convo_id="conv-1",
        metadata={"channel": "web"},
    )  # fmt: skip
    interaction.track_tool_call("search", {"q": "ORD-77"}, {"found": 1}, "look it up", 0.01, None, 12, {"try": 1})
    interaction.track_decision("it is late", ["refund", "wait"], 0.9, 0.02, 30, {"by": "policy"})
    interaction.set_output("not this")
    printed["finish"] = interaction.finish(
        "Refunded.", True, None, 0.05, {"satisfaction": 4.5}, 1200, 100, 50, 150,
    )  # fmt: skip
    with sentrial.begin("bob", "chat", "And mine?") as interaction:
        interaction.track_error("timed out", "Timeout", "search", "Traceback ...", {"after": 3})
        interaction.set_output("Sorry.")


def with_decorators():
    printed["answer"] = answer("ann", "Where is my order?")
    printed["answer_later"] = asyncio.run(answer_later("bob", "refunds"))
    try:
        with SessionContext("cy", "refund-agent", "Refund 9") as context:
            context.set_output("tried")
            refund("9")
    except LookupError as error:
        printed["raised"] = str(error)


def with_a_client():
    with SentrialClient(None, KEY, True, None, None, False) as client:
        first = client.create_session("First", "by-id", "dan")
        second = client.create_session("Second", "by-id", "dan", first, "conv-2", {"plan": "pro"})
        error = {"message": "no such order", "type": "LookupError"}
        client.track_tool_call(second, "lookup", {"id": 9}, {}, "must know", 0.01, error, 7, TRACE, SPAN, {"try": 2})
        client.track_decision(second, "give up", ["retry"], 0.4, 0.02, 8, TRACE, SPAN, {"by": "limit"})
        client.track_error(second, "gave up", "GivenUp", "lookup", "Traceback ...", TRACE, SPAN, {"tries": 2})
        done = client.complete_session(
            second, False, "gave up", 0.25, {"turns": 3}, 900, 10, 20, 30, "Where is 9?", "I do not know.",
        )  # fmt: skip
        printed["complete"] = isinstance(done, dict)
        printed["close"] = isinstance(client.close_session(first, 800, True, None), dict)
        printed["costs"] = [
            client.calculate_openai_cost("gpt-4o", 1000, 1000),
            SentrialClient.calculate_anthropic_cost("claude-3-5-sonnet-20241022", 1000, 1000),
            client.calculate_google_cost(model="gemini-2.0-flash", input_tokens=1000, output_tokens=1000),
        ]
        third = client.create_session(name="Third", agent_name="by-context", user_id="dan")
        set_session_context(third, client)
        client.update_state("step", 1)
        client.current_state["note"] = "kept"
        printed["state"] = client.current_state["step"]
        printed["context"] = [get_session_context() == third, search_orders("dan", limit=1)["limit"]]
        clear_session_context()
        printed["cleared"] = get_session_context()
        client.complete_session(third)
        client.flush()
    client.shutdown()


async def with_the_async_client():
    async with AsyncSentrialClient(None, KEY, True) as client:
        opened = await client.create_session("Fourth", "async", "eve", None, "conv-3", {"plan": "free"})
        await client.track_tool_call(
            opened, "lookup", {"id": 1}, {"ok": True}, None, 0.5, None, 5, TRACE, SPAN, {"n": 1}
        )
        await client.track_decision(opened, "enough", None, 1.0, 0.0, None, None, None, None)
        await client.complete_session(opened, True, None, None, None, 5, None, None, None, "in", "out")
        async with await client.begin("eve", "async-chat", "hello", "evt-5", "conv-3", {"k": "v"}) as interaction:
            await interaction.track_tool_call("lookup", {"id": 2}, {"ok": True})
            interaction.add_tokens(7, 3, 0.125)
            interaction.set_output("bye")
            printed["added"] = [interaction.total_tokens, interaction.total_cost]
    await sentrial.configure_async(KEY)
    interaction = await sentrial.begin_async("eve", "async-chat", "again")
    await interaction.finish("done", True)


if __name__ == "__main__":
    builtin = PiiBuiltinPatterns(True, True, True, True, ip_addresses=False)
    orders = [PiiCustomPattern(r"\bORD-\d+\b", "ORDER")]
    sentrial.configure(
        KEY, None, True, PiiConfig(True, None, "label", False, builtin, orders), BatcherConfig(True, 0.05, 10, 1000)
    )
    with_the_module()
    with_decorators()
    with_a_client()
    asyncio.run(with_the_async_client())
    printed["types"] = [EventType.TOOL_CALL == "tool_call", EventType("error").name]
    print(json.dumps(printed))
