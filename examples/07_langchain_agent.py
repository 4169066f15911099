"""A LangChain agent with two tools: one callback handler records its whole run, with every tool below the session.

`pip install langchain langchain-openai`, then `python 07_langchain_agent.py`, and look at the session with
`sentrial sessions show last`. Nothing but the handler names us: what the tools do inside, such as the rates that one of
them looks up, nests below them by itself.
"""

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from offline_model import asks_for_several, offline_model, says

import sentrial
from sentrial import SentrialClient
from sentrial.langchain import SentrialCallbackHandler

QUESTION = "I pay in dollars. What does the lamp cost me, and when does it come?"


@sentrial.tool
def exchange_rate(currency: str) -> float:
    return {"USD": 1.25, "GBP": 0.8}[currency]


@tool
def price_of(article: str, currency: str) -> str:
    """The price of an article, in a currency of the customer's choice."""
    return f"{40 * exchange_rate(currency):.2f} {currency}"


@tool
def delivery_of(article: str) -> str:
    """How long an article takes to arrive."""
    if article not in ("lamp", "desk"):
        raise LookupError(f"There is no {article}.")
    return "two days"


def main() -> None:
    client = SentrialClient()
    with offline_model(
        asks_for_several(
            ("call_1", "price_of", {"article": "lamp", "currency": "USD"}),
            ("call_2", "delivery_of", {"article": "lamp"}),
        ),
        says("The lamp costs 50.00 USD, and is with you in two days."),
    ) as base_url:
        model = ChatOpenAI(model="gpt-4o", temperature=0.2, api_key="not-needed-offline", base_url=base_url)
        agent = create_agent(
            model, [price_of, delivery_of], system_prompt="You are the sales agent of a small shop. Be brief."
        )

        session_id = client.create_session(name="Price of a lamp", agent_name="sales-agent", user_id="user_123")
        handler = SentrialCallbackHandler(client, session_id)
        result = agent.invoke(
            {"messages": [{"role": "user", "content": QUESTION}]},
            {"callbacks": [handler], "configurable": {"thread_id": "conv_456"}},
        )
        client.complete_session(session_id, success=True, custom_metrics={"satisfaction": 4.5})

    print(f"User:  {QUESTION}\nAgent: {result['messages'][-1].content}\n")
    print(f"{handler.llm_calls} calls, {handler.total_tokens} tokens, {handler.total_cost:.4f} USD")
    client.flush()


if __name__ == "__main__":
    main()
