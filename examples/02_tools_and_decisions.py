"""Decorators: functions that are agents, tools and decisions, as they stand.

Each call of `WarrantyAgent.answer` is a session; what its tools and decisions do lands in it, though nobody passes
anything along: a tool that fails and is called again, one that asks a model itself, one that gives its results one by
one, methods. Look at it with `sentrial sessions show last`.
"""

from collections.abc import Iterator

from offline_model import offline_model, says
from openai import OpenAI

import sentrial


class Orders:
    """A database that does not always answer."""

    def __init__(self) -> None:
        self.calls = 0

    @sentrial.tool("look_up_order")
    def look_up(self, order_id: str, password: str) -> dict:
        # `self` is never recorded; what is named like a secret is masked.
        self.calls += 1
        if self.calls == 1:
            raise TimeoutError("the database does not answer")
        return {"order_id": order_id, "bought": "2025-03-01", "price": 49.0}


@sentrial.tool(description="Passages of the terms that fit a question")
def search_terms(question: str, limit: int = 2) -> Iterator[str]:
    # It lasts from the first item that is taken to the last; all of them are its output.
    yield from ("Warranty lasts two years. ", "Broken parts are replaced.", "Gifts count too.")[:limit]


@sentrial.decision("next_step")
def decide(order: dict, terms: str, options: list[str]) -> dict:
    # What a decision returns is what was chosen, or a dict that also says why, and how sure it is.
    return {"chosen": options[0], "reasoning": f"Bought on {order['bought']}. {terms}", "confidence": 0.8}


class WarrantyAgent:
    def __init__(self, model: OpenAI, orders: Orders) -> None:
        self.model = model
        self.orders = orders

    @sentrial.session("warranty-agent", metadata=lambda call: {"words": len(call["message"].split())})
    def answer(self, user_id: str, message: str, convo_id: str) -> str:
        try:
            order = self.orders.look_up("1042", password="not-recorded")
        except TimeoutError:
            order = self.orders.look_up("1042", password="not-recorded")
        terms = self.summarize("".join(search_terms(message)))
        step = decide(order, terms, options=["replace_it", "refuse", "ask_a_human"])
        return f"We will {step['chosen'].replace('_', ' ')}."

    @sentrial.tool
    def summarize(self, text: str) -> str:
        # The model call lies below the tool that makes it.
        messages = [{"role": "user", "content": f"In short: {text}"}]
        return self.model.chat.completions.create(model="gpt-4o", messages=messages).choices[0].message.content


def main() -> None:
    with offline_model(says("Two years of warranty; broken parts are replaced.")) as base_url:
        agent = WarrantyAgent(OpenAI(api_key="not-needed-offline", base_url=base_url), Orders())
        print(agent.answer("ann", "My lamp broke after a year.", convo_id="conv_7"))


if __name__ == "__main__":
    main()
