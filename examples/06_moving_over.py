"""A program written for the older SDK, PyPI's `sentrial` 0.6.0, in the forms that its documentation shows.

The same file runs on both packages, without a changed line; here, its sessions are in the local store until there is a
key: `sentrial sessions list`. `docs/moving-over.md` says what each old name does now, and what it does better.
"""

import asyncio

from offline_model import offline_model, says
from openai import OpenAI

import sentrial
from sentrial import AsyncSentrialClient, SentrialClient, session, tool, wrap_openai


@tool("search_web")
def search_web(query: str) -> dict:
    return {"results": [f"A page about {query}"]}


@tool("get_weather")
def get_weather(city: str) -> dict:
    return {"city": city, "degrees": 21}


@session("travel-agent")
def run_agent(user_id: str, message: str) -> str:
    found = search_web(message)
    weather = get_weather("Lisbon")
    return f"{len(found['results'])} result, {weather['degrees']} degrees"


def chat(model: OpenAI, question: str) -> str:
    with sentrial.begin(user_id="ann", event="chat", input=question, convo_id="conv_1") as interaction:
        reply = model.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": question}])
        interaction.set_output(reply.choices[0].message.content)
        return reply.choices[0].message.content


def full_control() -> None:
    client = SentrialClient()
    session_id = client.create_session(
        name="Refund request", agent_name="support-agent", user_id="bob", metadata={"ticket_id": "TKT-789"}
    )
    client.track_tool_call(
        session_id=session_id,
        tool_name="look_up_order",
        tool_input={"order_id": "1042"},
        tool_output={"status": "delivered"},
        reasoning="The user asked for it",
        estimated_cost=0.001,
    )
    client.track_decision(
        session_id=session_id, reasoning="It came broken", alternatives=["ask_for_a_photo"], confidence=0.9
    )
    client.complete_session(session_id=session_id, success=True, custom_metrics={"satisfaction": 4.5})


async def chat_async(question: str) -> None:
    client = AsyncSentrialClient()
    async with await client.begin(user_id="cy", event="async-chat", input=question) as interaction:
        await interaction.track_tool_call("search_web", {"query": question}, {"results": []})
        interaction.add_tokens(prompt_tokens=20, completion_tokens=5, cost=0.002)
        interaction.set_output("Nothing found.")
    await client.close()


def main() -> None:
    sentrial.configure()
    with offline_model(says("Take the train.")) as base_url:
        model = wrap_openai(OpenAI(api_key="not-needed-offline", base_url=base_url))
        print(chat(model, "How do I get to Lisbon?"))
    print(run_agent(user_id="ann", message="What is on in Lisbon?"))
    full_control()
    asyncio.run(chat_async("Is there a night train?"))


if __name__ == "__main__":
    main()
