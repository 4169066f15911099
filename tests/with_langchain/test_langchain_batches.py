"""Several prompts in one call of a model: one session around them all, which ends with the last."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManager
from langchain_core.language_models import FakeListLLM
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, LLMResult

import sentrial
from langchain_scenarios import Exported
from langchain_scenarios.asking import INPUT, OUTPUT, Asking
from langchain_scenarios.inside import open_runs
from receivers import OtlpHttpReceiver
from sentrial._frameworks.langchain.recorder import Opened
from sentrial.langchain import SentrialCallbackHandler

PROMPTS = ["one", "two", "three"]
CHATS = [[HumanMessage(prompt)] for prompt in PROMPTS]

Call = Callable[[list[Any]], Any]


def batch_of_texts(callbacks: list[Any]) -> None:
    FakeListLLM(responses=PROMPTS).batch(PROMPTS, {"callbacks": callbacks})


def texts(callbacks: list[Any]) -> None:
    FakeListLLM(responses=PROMPTS).generate(PROMPTS, callbacks=callbacks)


def chats(callbacks: list[Any]) -> None:
    Asking().generate(CHATS, callbacks=callbacks)


def chats_awaited(callbacks: list[Any]) -> None:
    asyncio.run(Asking().agenerate(CHATS, callbacks=callbacks))


def failing_texts(callbacks: list[Any]) -> None:
    class Failing(FakeListLLM):
        def _call(self, prompt: str, *_: Any, **__: Any) -> str:
            raise ValueError(prompt)

    Failing(responses=PROMPTS).generate(PROMPTS, callbacks=callbacks)


class FailingChat(Asking):
    """Does not know what to say to the second."""

    def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        if messages[0].content == PROMPTS[1]:
            raise ValueError(PROMPTS[1])
        return super()._generate(messages, *args, **kwargs)


def failing_chats(callbacks: list[Any]) -> None:
    FailingChat().generate(CHATS, callbacks=callbacks)


def failing_chats_awaited(callbacks: list[Any]) -> None:
    asyncio.run(FailingChat().agenerate(CHATS, callbacks=callbacks))


async def failing_chats_in_a_task(callbacks: list[Any]) -> None:
    with contextlib.suppress(ValueError):
        FailingChat().generate(CHATS, callbacks=callbacks)
    gc.collect()
    # LangChain has let go of all three: their ends are what the loop does next.
    await asyncio.sleep(0)


given = pytest.mark.parametrize("given", [False, True], ids=["zero code", "a handler"])


@pytest.fixture(autouse=True)
def langchain_alone(collector: OtlpHttpReceiver) -> None:
    sentrial.configure(otlp_endpoint=collector.url, instrument=["langchain"], auto_session="call")


def check(exported: Exported, outcome: str) -> dict[str, Any]:
    """One session, which has all three calls; gives its attributes."""
    (root,) = (span for span in exported.spans if span["parent_span_id"] is None)
    calls = [span for span in exported.spans if span is not root]
    assert len(calls) == len(PROMPTS)
    assert [call["parent_span_id"] for call in calls] == [root["span_id"]] * len(PROMPTS)
    assert not any("sentrial.late" in call["attributes"] for call in calls)
    assert root["attributes"]["sentrial.session.llm_calls"] == len(PROMPTS)
    assert root["attributes"]["sentrial.session.outcome"] == outcome
    assert root["end_ns"] >= max(call["end_ns"] for call in calls)
    return dict(root["attributes"])


@given
@pytest.mark.parametrize("call", [batch_of_texts, texts, chats, chats_awaited])
def test_the_session_ends_with_the_last_of_them(exported: Exported, call: Call, given: bool) -> None:
    handler = SentrialCallbackHandler()
    call([handler] if given else [])
    root = check(exported, "completed")
    assert handler.llm_calls == (len(PROMPTS) if given else 0)
    if call in (chats, chats_awaited):
        read, written = root["gen_ai.usage.input_tokens"], root["gen_ai.usage.output_tokens"]
        assert (read, written) == (INPUT * len(PROMPTS), OUTPUT * len(PROMPTS))


@given
@pytest.mark.parametrize("call", [failing_texts, failing_chats, failing_chats_awaited])
def test_it_has_failed_where_one_of_them_has(exported: Exported, call: Call, given: bool) -> None:
    handler = SentrialCallbackHandler()
    with pytest.raises(ValueError, match=r"one|two"):
        call([handler] if given else [])
    assert check(exported, "failed")["sentrial.session.failure_reason"].startswith("ValueError: ")
    assert open_runs(handler) == []


@given
async def test_so_it_has_in_a_task_that_goes_on(exported: Exported, given: bool) -> None:
    handler = SentrialCallbackHandler()
    await failing_chats_in_a_task([handler] if given else [])
    check(exported, "failed")
    assert open_runs(handler) == []


ENDS = (Opened.leave.__code__, Opened.give_back.__code__)


def end_on_two_threads(stop: int) -> bool:
    """The second of two fails where the end of the first stands before step ``stop``: whether it got so far."""
    first, second = CallbackManager([SentrialCallbackHandler()]).on_chat_model_start({}, CHATS[:2], batch_size=2)
    steps = 0

    def fail_the_second() -> None:
        elsewhere.submit(second.on_llm_error, ValueError("two")).result(60)

    def step(frame: FrameType, event: str, _: object) -> Any:
        nonlocal steps
        if event == "line":
            if steps == stop:
                fail_the_second()
            steps += 1
        return step

    with ThreadPoolExecutor(1) as elsewhere:
        sys.settrace(lambda frame, *_: step if frame.f_code in ENDS else None)
        first.on_llm_end(LLMResult(generations=[[ChatGeneration(message=AIMessage("Fine."))]]))
        sys.settrace(None)
        if steps <= stop:
            fail_the_second()
    return steps > stop


def test_so_it_has_wherever_another_of_them_ends_at_the_same_time(exported: Exported) -> None:
    stops, got_so_far = 0, True
    while got_so_far:
        # On a thread of its own: what ends on another one stays current there.
        with ThreadPoolExecutor(1) as here:
            got_so_far = here.submit(end_on_two_threads, stops).result(60)
        stops += 1
    assert stops > 1
    roots = [span for span in exported.spans if span["parent_span_id"] is None]
    assert [root["attributes"]["sentrial.session.outcome"] for root in roots] == ["failed"] * stops
    for root in roots:
        calls = [span for span in exported.spans if span["parent_span_id"] == root["span_id"]]
        assert root["end_ns"] >= max(call["end_ns"] for call in calls)


def test_in_a_session_of_the_programs_none_is_left_open_either(exported: Exported) -> None:
    handler = SentrialCallbackHandler()
    with sentrial.begin("user_1", "agent"):
        with pytest.raises(ValueError, match=PROMPTS[1]):
            failing_chats([handler])
        assert open_runs(handler) == []
    check(exported, "completed")


def test_each_prompt_is_recorded_where_its_own_handler_says(exported: Exported) -> None:
    sessions = [sentrial.begin("user_1", prompt) for prompt in PROMPTS]
    sentrial.clear_session_context()
    configs = [{"callbacks": [SentrialCallbackHandler(session_id=session.session_id)]} for session in sessions]
    FakeListLLM(responses=PROMPTS).batch(PROMPTS, configs)
    for session in sessions:
        session.finish()
    assert exported.trees == [[f"invoke_agent {prompt}", "  text_completion"] for prompt in PROMPTS]


@pytest.mark.parametrize("ask", [texts, chats, chats_awaited], ids=lambda ask: ask.__name__)
@pytest.mark.parametrize("around", [False, True], ids=["its own session", "in a session"])
def test_two_handlers_count_every_prompt_and_one_records_it(exported: Exported, ask: Call, around: bool) -> None:
    handlers = [SentrialCallbackHandler(), SentrialCallbackHandler()]
    with sentrial.begin("ann", "support") if around else contextlib.nullcontext():
        ask(handlers)
    assert [handler.llm_calls for handler in handlers] == [len(PROMPTS)] * 2
    (root, *calls) = exported.tree
    assert root.startswith("invoke_agent")
    assert len(calls) == len(PROMPTS)
    (found,) = (span["attributes"] for span in exported.spans if span["parent_span_id"] is None)
    assert found["sentrial.session.llm_calls"] == len(PROMPTS)


async def test_what_is_asked_after_one_that_failed_is_a_call_of_its_own(exported: Exported) -> None:
    handler = SentrialCallbackHandler()
    with pytest.raises(ValueError, match="two") as kept:
        FailingChat().generate(CHATS, callbacks=[handler])
    Asking().invoke("later", {"callbacks": [handler]})
    assert kept.value.args == ("two",)
    trees = [span for span in exported.spans if span["parent_span_id"] is None]
    assert sorted(span["attributes"]["sentrial.session.outcome"] for span in trees) == ["completed", "failed"]
    (later,) = (span for span in trees if span["attributes"]["sentrial.session.outcome"] == "completed")
    assert later["attributes"]["gen_ai.usage.input_tokens"] == INPUT
    assert open_runs(handler) == []
