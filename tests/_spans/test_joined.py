"""A framework's run around the real client's call: one span, with what both know."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openai
import pytest
from opentelemetry.context import Context
from opentelemetry.trace import get_current_span

from fake_provider import Answer, FakeProvider
from recorder.fixtures import patched, server
from sentrial import _session
from sentrial._session import Activation, Session
from sentrial._spans import joined, llm, root
from sentrial._spans.llm import AnyCall, LlmCall
from sentrial._spans.llm_by_hand import LlmEvent
from sentrial._spans.messages import read_input, read_output
from sentrial._spans.root import Opening
from sentrial._spans.tool import ToolCall
from sentrial.types import Deferred, LlmRequest, LlmResponse, Part, Usage
from written import Recorded, Writing

__all__ = ["patched", "server"]

pytestmark = pytest.mark.usefixtures("patched")

QUESTION: Any = [{"role": "user", "content": "Where is my parcel?"}]
RUN = LlmRequest(
    "chat",
    "unknown",
    "ChatOpenAI",
    stream=True,
    temperature=0.5,
    system=Deferred("Be kind.", lambda text: [Part.text(text)]),
    input=Deferred("as the framework has it", read_input),
)
ANSWER = LlmResponse(
    id="run-1",
    finish_reasons=("length",),
    usage=Usage(1, 2),
    output=Deferred("as the framework has it", read_output),
)


def refusal() -> Answer:
    return Answer.error(429, code="rate_limit_exceeded")


@pytest.fixture
def client(server: FakeProvider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="k", base_url=server.base_url, max_retries=0) as client:
        yield client


@contextmanager
def inside(context: Context) -> Iterator[None]:
    activation = Activation(context)
    try:
        yield
    finally:
        activation.leave()


@contextmanager
def running(*calls: AnyCall) -> Iterator[None]:
    with inside(joined.around(calls[0].context, list(calls))):
        yield


def begin(session: Session) -> LlmCall:
    return llm.begin(RUN, session=session)


def ask(client: openai.OpenAI, model: str = "gpt-4o", **more: Any) -> Any:
    return client.chat.completions.create(model=model, messages=QUESTION, **more)


def assert_counted(session: Session, calls: int, input_tokens: int, output_tokens: int) -> None:
    totals = session.totals
    assert (totals.llm_calls, totals.input_tokens, totals.output_tokens) == (calls, input_tokens, output_tokens)


def id_of(call: AnyCall) -> int:
    return call.span.get_span_context().span_id


def of(recorder: Writing, call: AnyCall) -> Recorded:
    return next(span for span in recorder.spans if span.span.context.span_id == id_of(call))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("is_raw", [False, True])
def test_the_span_of_the_run_says_all_that_the_clients_own_would(
    client: openai.OpenAI, recorder: Writing, session: Session, stream: bool, is_raw: bool
) -> None:
    def make() -> None:
        completions: Any = client.chat.completions.with_raw_response if is_raw else client.chat.completions
        answer = completions.create(model="gpt-4o", messages=QUESTION, stream=stream)
        answer = answer.parse() if is_raw else answer
        assert len(list(answer)) > 5

    with inside(_session.inside(session)):
        make()
    call = begin(session)
    with running(call):
        make()
    assert len(recorder.spans) == 1
    call.succeed(ANSWER)
    alone, together = recorder.spans
    assert alone.span.name == together.span.name == "chat gpt-4o"
    assert alone.json("gen_ai.input.messages")[0]["parts"] == [{"type": "text", "content": "Where is my parcel?"}]
    timed = "gen_ai.response.time_to_first_chunk"
    assert together.without(timed) == {
        **alone.without(timed),
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.stream": stream,
    }
    assert (timed in together.attributes) is stream
    assert together.attributes.get("sentrial.stream.end") == ("drained" if stream else None)
    assert together.attributes["sentrial.estimated_cost"] > 0
    assert_counted(session, 2, 2400, 96)


async def test_an_async_client_joins_in_the_same_way(server: FakeProvider, recorder: Writing, session: Session) -> None:
    call = begin(session)
    async with openai.AsyncOpenAI(api_key="k", base_url=server.base_url) as client:
        with running(call):
            stream = await client.chat.completions.create(model="gpt-4o", messages=QUESTION, stream=True)
        assert {chunk.id async for chunk in stream} == {"chatcmpl-text-1"}
    call.succeed(None)
    (span,) = recorder.spans
    assert span.attributes["sentrial.stream.end"] == "drained"
    assert span.attributes["gen_ai.response.id"] == "chatcmpl-text-1"
    assert_counted(session, 1, 1200, 48)


def test_what_the_client_leaves_open_is_as_the_run_has_it(
    client: openai.OpenAI, server: FakeProvider, recorder: Writing, session: Session
) -> None:
    server.queue(Answer.stream(usage=False))
    call = begin(session)
    with running(call):
        stream = ask(client, stream=True)
        next(stream)
        stream.close()
    call.succeed(ANSWER)
    (span,) = recorder.spans
    assert span.attributes["sentrial.stream.end"] == "closed"
    assert span.attributes["gen_ai.response.id"] == "chatcmpl-text-1"
    assert_counted(session, 1, 1, 2)


def test_a_run_that_ends_first_has_the_last_word(client: openai.OpenAI, recorder: Writing, session: Session) -> None:
    call = begin(session)
    with running(call):
        stream = ask(client, stream=True)
        next(stream)
        call.succeed(ANSWER, stream_end="closed")
        stream.close()
    (span,) = recorder.spans
    assert span.attributes["gen_ai.response.id"] == "run-1"
    assert span.attributes["sentrial.stream.end"] == "closed"
    assert_counted(session, 1, 1, 2)


def test_the_exception_is_the_runs_and_its_code_the_clients(
    client: openai.OpenAI, server: FakeProvider, recorder: Writing, session: Session
) -> None:
    server.queue(refusal())
    call = begin(session)
    with running(call), pytest.raises(openai.RateLimitError):
        ask(client)
    call.fail(RuntimeError("The model is gone."))
    (span,) = recorder.spans
    assert span.attributes["error.type"] == "RuntimeError"
    assert span.attributes["sentrial.error.code"] == "rate_limit_exceeded"
    assert span.attributes["gen_ai.request.model"] == "gpt-4o"
    assert [name for name, _ in span.events] == ["exception"]
    assert session.totals.llm_calls == 1


def test_a_failure_that_the_run_makes_good_is_none(
    client: openai.OpenAI, server: FakeProvider, recorder: Writing, session: Session
) -> None:
    server.queue(refusal())
    call = begin(session)
    with running(call), pytest.raises(openai.RateLimitError):
        ask(client)
    call.succeed(ANSWER)
    (span,) = recorder.spans
    assert span.status == ("UNSET", None)
    assert "sentrial.error.code" not in span.attributes
    assert span.attributes["gen_ai.response.id"] == "run-1"


def test_what_fails_and_is_made_again_is_a_retry(
    client: openai.OpenAI, server: FakeProvider, recorder: Writing, session: Session
) -> None:
    server.queue(refusal(), Answer.error(500))
    call = begin(session)
    with running(call):
        for failure in (openai.RateLimitError, openai.InternalServerError):
            with pytest.raises(failure):
                ask(client)
        ask(client)
    call.succeed(None)
    (span,) = recorder.spans
    assert span.attributes["sentrial.retry.count"] == 2
    retries = [event for name, event in span.events if name == "sentrial.retry"]
    assert [event["http.response.status_code"] for event in retries] == [429, 500]
    assert span.attributes["sentrial.retry.wait"] == sum(event["sentrial.retry.wait"] for event in retries) > 0
    assert "sentrial.error.code" not in span.attributes
    assert_counted(session, 1, 1200, 48)


def test_a_second_call_in_the_same_run_is_one_of_its_own(
    client: openai.OpenAI, recorder: Writing, session: Session
) -> None:
    call = begin(session)
    with running(call):
        ask(client)
        ask(client, "gpt-4o-mini")
    call.succeed(None)
    second, first = recorder.spans
    assert (first.span.name, second.span.name) == ("chat gpt-4o", "chat gpt-4o-mini")
    assert second.span.parent.span_id == first.span.context.span_id
    assert_counted(session, 2, 2400, 96)


def test_the_calls_of_a_batch_are_joined_in_their_order(
    client: openai.OpenAI, recorder: Writing, session: Session
) -> None:
    calls = [begin(session), begin(session), begin(session)]
    with running(*calls):
        ask(client, "gpt-4o")
        ask(client, "gpt-4o-mini")
        assert get_current_span(llm.begin(RUN).context) is calls[2].span
    for call in calls:
        call.succeed(ANSWER)
    assert [of(recorder, call).span.name for call in calls] == ["chat gpt-4o", "chat gpt-4o-mini", "chat ChatOpenAI"]
    assert_counted(session, 3, 2401, 98)


async def test_each_task_of_a_batch_tries_its_own_call_again(
    server: FakeProvider, recorder: Writing, session: Session
) -> None:
    server.queue(Answer.error(503), Answer.error(503))
    calls = [begin(session), begin(session)]
    refused, made_again = asyncio.Event(), asyncio.Event()

    async def make(number: int, client: openai.AsyncOpenAI) -> None:
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(model=f"m{number}", messages=QUESTION)
        if number == 0:
            refused.set()
        # The second one goes on first.
        await (made_again if number == 0 else refused).wait()
        await client.chat.completions.create(model=f"m{number}", messages=QUESTION)
        made_again.set()

    async with openai.AsyncOpenAI(api_key="k", base_url=server.base_url, max_retries=0) as client:
        with running(*calls):
            await asyncio.gather(make(0, client), make(1, client))
    for call in calls:
        call.succeed(None)
    assert [of(recorder, call).span.name for call in calls] == ["chat m0", "chat m1"]
    assert [of(recorder, call).attributes["sentrial.retry.count"] for call in calls] == [1, 1]


def test_a_run_inside_a_run_joins_it_and_is_joined_itself(
    client: openai.OpenAI, recorder: Writing, session: Session
) -> None:
    outer = begin(session)
    with running(outer):
        run = llm.begin(LlmRequest("chat", "unknown", "Inner", top_k=3))
        with running(run):
            ask(client)
        run.succeed(LlmResponse(id="run-2", service_tier="flex"))
    outer.succeed(ANSWER._replace(status="completed"))
    (span,) = recorder.spans
    assert span.span.name == "chat gpt-4o"
    assert span.attributes["gen_ai.request.top_k"] == 3
    assert span.attributes["gen_ai.response.id"] == "chatcmpl-text-1"
    assert span.attributes["gen_ai.response.status"] == "completed"
    assert_counted(session, 1, 1200, 48)


def test_embeddings_and_calls_told_by_hand_are_calls_of_their_own(
    client: openai.OpenAI, recorder: Writing, session: Session
) -> None:
    fetches = hasattr(client, "responses")  # the oldest client that is supported has none
    call = begin(session)
    with running(call):
        client.embeddings.create(model="text-embedding-3-small", input="Lisbon")
        if fetches:
            client.responses.retrieve("resp_1")
        LlmEvent(session, "by hand").end()
        ask(client)
    call.succeed(None)
    assert [span.span.name.partition(" ")[0] for span in recorder.spans] == [
        "embeddings", *["fetch_response"] * fetches, "chat", "chat",
    ]  # fmt: skip
    assert {span.span.parent.span_id for span in recorder.spans[:-1]} == {id_of(call)}
    assert session.totals.llm_calls == 3


def test_what_a_tool_or_an_agent_does_inside_is_no_part_of_the_call(
    client: openai.OpenAI, recorder: Writing, session: Session
) -> None:
    call = begin(session)
    with running(call):
        with ToolCall(session, "look_up"):
            ask(client, "in the tool")
        with inside(_session.inside(root.open_session(Opening("sub", "u1"), nested=True))):
            ask(client, "in the agent")
        ask(client)
    call.succeed(None)
    assert [span.span.name for span in recorder.spans if "chat" in span.span.name] == [
        "chat in the tool", "chat in the agent", "chat gpt-4o",
    ]  # fmt: skip


def test_what_ended_is_joined_by_nobody(client: openai.OpenAI, recorder: Writing, session: Session) -> None:
    call = begin(session)
    with running(call):
        call.succeed(ANSWER)
        ask(client)
    assert [span.span.name for span in recorder.spans] == ["chat ChatOpenAI", "chat gpt-4o"]


def test_what_another_instrumentation_tells_of_is_not_recorded(
    client: openai.OpenAI, recorder: Writing, session: Session
) -> None:
    with inside(joined.told_by_another(_session.inside(session), "another")):
        assert joined.is_told_by_another()
        assert ask(client).id == "chatcmpl-text-1"
        with ToolCall(session, "look_up"):
            ask(client, "in the tool")
    assert [span.span.name for span in recorder.spans] == ["chat in the tool", "execute_tool look_up"]
