"""LangChain's handler, with `SENTRIAL_EXPERIMENT_SYSTEM_PROMPT` set: what becomes of the prompts it is shown"""

from __future__ import annotations

from typing import Any

from defects.langchain_runs import QUESTION, client_and_handler
from defects.seen import Seen, Verdict

VARIABLES = {"SENTRIAL_EXPERIMENT_SYSTEM_PROMPT": "You are a pirate."}


def program() -> dict[str, Any]:
    from uuid import uuid4

    client, handler = client_and_handler()
    prompts = [QUESTION]
    handler.on_llm_start({"name": "llm"}, prompts, run_id=uuid4())
    client.complete_session(handler.session_id)
    return {"prompts": prompts}


def judge(seen: Seen) -> Verdict:
    same = seen.printed["prompts"] == [QUESTION]
    return Verdict(same, "nothing" if same else f"they are {seen.printed['prompts']}")
