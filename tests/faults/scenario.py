"""What a user's program does with sessions and a model, as one function that says all that the program saw.

Nothing in what it says is ours: with us, without us, or with us failing, it has to be the same.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import openai
from openai import AsyncOpenAI, OpenAI
from opentelemetry import trace

import sentrial
from fake_provider import FakeProvider
from fake_provider.answer import Answer

MESSAGES: list[Any] = [{"role": "user", "content": "Where is my parcel?"}]


class Player:
    """The program, against ``provider``; played as often as it is asked to."""

    def __init__(self, provider: FakeProvider) -> None:
        self._provider = provider
        # Certificates are loaded once and for none: a client of each run's own would take most of the time.
        self._client = OpenAI(
            api_key="none", base_url=provider.base_url, max_retries=0, http_client=httpx.Client(verify=False)
        )

    def close(self) -> None:
        self._client.close()

    def play(self) -> list[Any]:
        """Everything in turn."""
        self._provider._answers.clear()  # those that a run before has left, which broke off
        self._provider.queue(Answer.reply(), Answer.stream(), Answer.error(429, "slow down"))
        seen: list[Any] = []
        with sentrial.begin("u", "agent", input={"q": 1}, convo_id="c", metadata={"k": [1]}) as session:
            seen.append(self._ask())
            seen.append(self._stream())
            with session.tool("look_up", {"parcel": 1}, reasoning="why", call_id="call_1", description="d") as tool:
                with trace.get_tracer("theirs").start_as_current_span("SELECT") as span:
                    span.set_attribute("rows", 1)
                tool.set_output(["out"])
                tool.set_cost(0.5)
            with session.decision("because", ["other"], 0.5, chosen="this", metadata={"a": 1}) as decision:
                decision.choose("that", 7)
                decision.set_usage(0.1, 3)
            with session.llm("model", provider="test", input=MESSAGES) as call:
                call.set_output("answer")
                call.set_usage(prompt_tokens=1, completion_tokens=2)
            with sentrial.begin("u", "sub-agent", input="in") as inner:
                seen.append(_failing_tool(inner))
            session.track_tool_call(
                "told", {"a": 1}, {"b": 2}, "why", 0.1, {"message": "m"}, 4, {"k": "v"}, trace_id="x"
            )
            session.track_decision("why", ["else"], 0.5, 0.1, 2, {"k": "v"})
            session.track_llm_call("m", provider="p", input=MESSAGES, output="out", prompt_tokens=3, metadata={"k": 1})
            session.track_error("what", "Type", "tool", "stack", {"k": "v"})
            seen.append(self._refused())
            session.add_tokens(1, 2, 0.1)
            session.set_output("output")
        seen.append(asyncio.run(_in_tasks(self._provider.base_url)))
        seen.append(_by_id())
        seen.append(_on_threads())
        seen.append(_failing_session())
        seen.append(_decorated())
        seen.append(trace.get_current_span().get_span_context().is_valid)
        return seen

    def _ask(self) -> Any:
        return self._client.chat.completions.create(model="gpt-4o", messages=MESSAGES).model_dump()

    def _stream(self) -> Any:
        stream = self._client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
        return [type(stream).__name__, *(chunk.model_dump() for chunk in stream)]

    def _refused(self) -> Any:
        try:
            self._client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
        except openai.APIStatusError as error:
            return type(error).__name__, error.status_code, str(error)
        return "no refusal"


def _failing_tool(session: Any) -> Any:
    mine = LookupError("nothing there")
    try:
        with session.tool("breaks", {"a": 1}):
            raise mine
    except LookupError as error:
        return error is mine


def _failing_session() -> Any:
    mine = LookupError("nothing there")
    try:
        with sentrial.begin("u", "breaks"):
            raise mine
    except LookupError as error:
        return error is mine


@sentrial.tool
def _look_up(parcel: int, *, api_key: str = "k") -> dict[str, int]:
    return {"parcel": parcel}


@sentrial.decision("route")
def _decide(parcel: int) -> tuple[str, dict[str, Any]]:
    if parcel > 1:
        raise LookupError(parcel)
    return "this", {"confidence": 0.5}


@sentrial.session("decorated")
def _answer(user_id: str, parcels: int) -> Any:
    for parcel in range(parcels):
        _look_up(parcel)
        _decide(parcel)
        yield parcel


@sentrial.session("decorated")
async def _answer_in_task(user_id: str) -> Any:
    return _look_up(1)


def _decorated() -> Any:
    given = []
    try:
        for parcel in _answer("u", 3):
            given.append(parcel)
    except LookupError as error:
        given.append(str(error))
    return given, asyncio.run(_answer_in_task("u")), _look_up.__name__, next(iter(_answer("u", 1)))


async def _in_tasks(base_url: str) -> Any:
    client = AsyncOpenAI(api_key="none", base_url=base_url, max_retries=0, http_client=httpx.AsyncClient(verify=False))

    async def one(number: int) -> Any:
        async with sentrial.begin(f"u{number}", "task") as session:
            async with session.tool("t"):
                answer = await client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
            session.finish("done", success=number == 1, custom_metrics={"m": 1})
            return answer.choices[0].message.content

    answers = await asyncio.gather(one(1), one(2))
    await client.close()
    return answers


def _by_id() -> Any:
    client = sentrial.SentrialClient()
    session_id = client.create_session("n", "by id", "u", metadata={"k": 1})
    client.track_tool_call(session_id, "t", {}, {})
    sentrial.set_session_context(session_id)
    client.update_state("k", 1)
    client.current_state = {"k": client.current_state.get("k")}
    current = sentrial.get_current_interaction(), sentrial.get_current_client(), sentrial.get_current_session_id()
    sentrial.clear_session_context()
    with sentrial.attach(session_id) as attached:
        attached.track_decision("why")
    client.complete_session(session_id, prompt_tokens=1, custom_metrics={"m": "no number"})
    client.complete_session(session_id)
    return isinstance(session_id, str), len(current)


def _on_threads() -> Any:
    done = []
    with sentrial.begin("u", "threads") as session:
        handle = session.export()
        thread = threading.Thread(target=lambda: done.append("on a thread"))
        thread.start()
        thread.join()
        with ThreadPoolExecutor(1) as pool:
            done.append(pool.submit(lambda: "in a pool").result())
    resumed = sentrial.resume(handle)
    resumed.finish("later")
    return done, sentrial.SentrialClient.calculate_openai_cost("gpt-4o", 1, 1) is not None
