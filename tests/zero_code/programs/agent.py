"""An agent on LangChain that knows nothing of us: asked once for each argument, as that says.

``waiting`` and ``awaited`` are runs, each with a callback of the program's own; ``inside`` is one that starts another.
"""

import asyncio
import os
import sys
from typing import Any

from langchain.agents import create_agent
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


class Listening(BaseCallbackHandler):
    """Prints what it hears of."""

    def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        print("asked")


@tool
def find_order(number: int) -> str:
    """Find an order by its number."""
    return f"order {number}"


@tool
def weather(city: str, days: list[int]) -> str:
    """What the weather will be."""
    return f"rain in {city}"


model = ChatOpenAI(model="gpt-4.1-mini", base_url=os.environ["OPENAI_BASE_URL"], max_retries=0)
clerk = create_agent(model, [find_order, weather], name="clerk")
asked: Any = {"messages": [("user", "Where is my parcel?")]}
desk = RunnableLambda(lambda question: clerk.invoke(question), name="desk")

for word in sys.argv[1:]:
    config: Any = {"callbacks": [Listening()]}
    if word == "awaited":
        answer = asyncio.run(clerk.ainvoke(asked, config))
    else:
        answer = (desk if word == "inside" else clerk).invoke(asked, config)
    print(answer["messages"][-1].text)
