"""LangChain's handler: 1,000 tokens in and 1,000 out of gpt-4o, which the answer's `response_metadata` names"""

from __future__ import annotations

import math
from typing import Any

from defects.langchain_runs import QUESTION, client_and_handler, model
from defects.seen import Seen, Verdict

_LIST = 0.0125
"""Dollars, by OpenAI's list: 2.50 and 10.00 a million."""


def program() -> dict[str, Any]:
    from langchain_core.messages import AIMessage

    answer = AIMessage(
        "It is in Lisbon.",
        response_metadata={"model_name": "gpt-4o", "model_provider": "openai"},
        usage_metadata={"input_tokens": 1000, "output_tokens": 1000, "total_tokens": 2000},
    )
    client, handler = client_and_handler()
    model(answer).invoke(QUESTION, {"callbacks": [handler]})
    client.complete_session(handler.session_id)
    return {"cost": handler.total_cost}


def judge(seen: Seen) -> Verdict:
    cost = seen.printed["cost"]
    return Verdict(math.isclose(cost, _LIST), f"{cost} USD (list: {_LIST})")
