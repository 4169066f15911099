"""What holds of a call of every patched client: one span, and a program that notices nothing."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

from adapters import Adapter
from fake_provider import Answer, FakeProvider
from recorder import Recorder
from recorder.fixtures import record_with
from recorder.reading import expected, said, tools_asked_for
from sentrial import _guard, _payload
from sentrial._patch import install
from sentrial._patch.spec import Outgoing, Provider
from sentrial._providers import PROVIDERS

QUESTION = [{"role": "user", "parts": [{"type": "text", "content": "Where is my parcel?"}]}]


async def test_a_call_is_one_span_with_model_usage_and_content(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    answer = await client.create()
    assert (client.api.id_of(answer), client.api.text_of(answer)) == (client.api.answer_id, client.api.text)
    span = recorder.one
    assert (span.name, span.kind, span.status.status_code) == (
        f"{client.api.operation} {client.api.model}",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    assert recorder.attributes == expected(client, server)
    assert recorder.input == QUESTION
    assert said(recorder) == client.api.text
    assert recorder.content().keys() == {"gen_ai.input.messages", "gen_ai.output.messages"}


async def test_the_answer_and_the_request_are_those_of_the_unpatched_client(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    ours = await client.create()
    install.uninstall()
    theirs = await client.create()
    assert type(ours) is type(theirs)
    assert ours == theirs
    assert vars(ours).keys() == vars(theirs).keys()
    patched, unpatched = server.requests
    assert patched.body == unpatched.body
    assert patched.headers.keys() == unpatched.headers.keys()
    assert recorder.started == 1


async def test_tool_calls_are_told_with_their_arguments(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    server.queue(client.api.tools())
    await client.create()
    assert recorder.attributes["gen_ai.response.finish_reasons"] == (client.api.finish_of_tools,)
    assert tools_asked_for(recorder) == client.api.tool_calls


@pytest.mark.parametrize("status", [400, 500])
async def test_a_refused_call_raises_what_the_client_raises_and_is_a_failed_span(
    client: Adapter, server: FakeProvider, recorder: Recorder, status: int
) -> None:
    server.queue(*[client.api.error(status, "not like this")] * 2)
    with pytest.raises(Exception, match="not like this") as ours:
        await client.create()
    install.uninstall()
    with pytest.raises(Exception, match="not like this") as theirs:
        await client.create()
    assert type(ours.value) is type(theirs.value)
    assert str(ours.value) == str(theirs.value)
    assert ours.value.__cause__ is theirs.value.__cause__ is None
    assert recorder.one.status.status_code is StatusCode.ERROR
    assert recorder.attributes["error.type"] == client.api.errors[status]
    assert "gen_ai.response.model" not in recorder.attributes
    assert recorder.content() == {"gen_ai.input.messages": QUESTION}


async def test_the_span_is_current_while_the_request_is_sent_and_not_after(
    client: Adapter, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def send(request: Any) -> None:
        seen.append(trace.get_current_span().get_span_context().span_id)

    before = otel_context.get_current()
    with on_the_way_out(monkeypatch, send):
        await client.create()
    assert otel_context.get_current() is before
    assert seen == [recorder.one.get_span_context().span_id]


async def test_a_call_is_a_child_of_what_is_current(client: Adapter, recorder: Recorder) -> None:
    with recorder.provider.get_tracer("test").start_as_current_span("outside"):
        await client.create()
        await client.create()
    first, second, outside = recorder.spans
    assert outside.name == "outside"
    assert first.parent == second.parent == outside.get_span_context()


async def test_twenty_calls_at_once_do_not_mix(client: Adapter, recorder: Recorder) -> None:
    questions = [f"question {number}" for number in range(20)]
    answers = await client.at_once([{"model": question, "question": question} for question in questions])
    assert [client.api.text_of(answer) for answer in answers] == [client.api.text] * 20
    operation = client.api.operation
    assert sorted(span.name for span in recorder.spans) == sorted(f"{operation} {each}" for each in questions)
    for span in recorder.spans:
        (message,) = recorder.content(span)["gen_ai.input.messages"]
        assert span.name == f"{operation} {message['parts'][0]['content']}"
        assert span.parent is None
    assert not trace.get_current_span().get_span_context().is_valid


async def test_what_happens_to_the_messages_after_the_call_does_not_show(client: Adapter, recorder: Recorder) -> None:
    asked = client.several("before")
    await client.create(**asked)
    client.change(asked, "after")
    assert recorder.input == [{"role": "user", "parts": [{"type": "text", "content": "before"}]}]


async def test_an_iterator_of_messages_arrives_whole_and_is_told(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    for argument, value in client.several("once").items():
        await client.create(**{argument: value})
        if client.takes_iterators:
            await client.create(**{argument: (each for each in value)})
    first = server.requests[0].body
    assert [request.body for request in server.requests] == [first] * len(server.requests)
    assert len(server.requests) == (2 if client.takes_iterators else 1)
    for span in recorder.spans:
        assert recorder.content(span)["gen_ai.input.messages"] == [
            {"role": "user", "parts": [{"type": "text", "content": "once"}]}
        ]


async def test_without_content_names_and_numbers_stay(
    client: Adapter, server: FakeProvider, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_payload, "policy", _payload.Policy(to_us=False))
    await client.create()
    assert recorder.content() == {}
    assert recorder.attributes == expected(client, server)


async def test_content_stands_on_the_span_where_that_is_wanted(
    client: Adapter, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_payload, "policy", _payload.Policy(on_span=True))
    await client.create()
    on_span = {key: json.loads(recorder.attributes[key]) for key in ("gen_ai.input.messages", "gen_ai.output.messages")}
    assert on_span["gen_ai.input.messages"] == QUESTION
    assert client.api.text in json.dumps(on_span["gen_ai.output.messages"])


async def test_an_unsampled_call_is_made_and_not_recorded(client: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = Recorder(ALWAYS_OFF)
    record_with(silent, monkeypatch)
    assert client.api.text_of(await client.create()) == client.api.text
    assert len(await client.drain(await client.stream())) == client.api.chunks
    assert (silent.started, silent.spans) == (0, [])


@pytest.mark.parametrize("key", [_SUPPRESS_INSTRUMENTATION_KEY, "suppress_instrumentation"])
async def test_a_suppressed_call_is_not_recorded(client: Adapter, recorder: Recorder, key: str) -> None:
    token = otel_context.attach(otel_context.set_value(key, True))
    try:
        assert client.api.text_of(await client.create()) == client.api.text
        assert len(await client.drain(await client.stream())) == client.api.chunks
    finally:
        otel_context.detach(token)
    assert recorder.started == 0
    await client.create()
    assert recorder.started == 1


@pytest.mark.quiet_guard
@pytest.mark.parametrize(
    "reader", ["recognise", "read_request", "read_response", "make_accumulator", "answer_in", "read_error_code"]
)
async def test_a_reader_that_raises_costs_the_program_nothing(
    client: Adapter, server: FakeProvider, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, reader: str
) -> None:
    api = client.api
    install.uninstall()
    monkeypatch.setattr(install, "_patches", {})
    install.install(None, [with_broken(provider, reader) for provider in PROVIDERS])
    try:
        server.queue(api.plain(), api.stream(), api.error(400, "their own words"))
        assert api.text_of(await client.create()) == api.text
        assert len(await client.drain(await client.stream())) == api.chunks
        with pytest.raises(Exception, match="their own words"):
            await client.create()
    finally:
        install.uninstall()
    assert len(recorder.spans) == recorder.started == (0 if reader == "recognise" else 3)
    assert [span.status.status_code for span in recorder.spans[2:]] == [StatusCode.ERROR] * len(recorder.spans[2:])
    assert sum(_guard.failures.values()) >= 1


@pytest.mark.quiet_guard
async def test_a_span_processor_that_raises_costs_the_program_nothing(
    client: Adapter, server: FakeProvider, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("this processor is broken")

    monkeypatch.setattr(recorder, "on_end", broken)
    assert client.api.text_of(await client.create()) == client.api.text
    monkeypatch.setattr(recorder, "on_start", broken)
    assert client.api.text_of(await client.create()) == client.api.text
    server.queue(client.api.error(400, "their own words"))
    with pytest.raises(Exception, match="their own words"):
        await client.create()


async def test_an_answer_with_nothing_in_it_is_still_the_programs(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    for body in client.api.empty:
        server.queue(Answer(body=dict(body)))
        assert await client.create() is not None
    assert [span.status.status_code for span in recorder.spans] == [StatusCode.UNSET] * len(client.api.empty)
    assert not [key for span in recorder.spans for key in span.attributes or {} if key.startswith("gen_ai.usage")]


async def test_an_answer_is_copied_and_pickled_as_ever(client: Adapter, recorder: Recorder) -> None:
    ours = await client.create()
    install.uninstall()
    theirs = await client.create()
    for copied in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours)), copy.copy(ours)):
        assert type(copied) is type(ours)
        assert client.api.text_of(copied) == client.api.text
    assert type(ours).model_dump_json(ours) is not None
    assert len(pickle.dumps(ours)) == pytest.approx(len(pickle.dumps(theirs)), rel=0.1)


def with_broken(provider: Provider, reader: str) -> Provider:
    """``provider`` with a reader that raises, of the client or of each operation."""

    def broken(*_: Any) -> Any:
        raise RuntimeError("this reader is broken")

    if reader in ("recognise", "read_error_code"):
        return dataclasses.replace(provider, **{reader: broken})

    def recognise(*called: Any) -> Outgoing | None:
        found = provider.recognise(*called)
        return found and found._replace(operation=dataclasses.replace(found.operation, **{reader: broken}))

    return dataclasses.replace(provider, recognise=recognise)


@contextmanager
def on_the_way_out(monkeypatch: pytest.MonkeyPatch, send: Any) -> Iterator[None]:
    """``send`` sees each request that leaves, whichever library sends it."""
    with monkeypatch.context() as patch:
        for library in ("httpx", "httpx2"):
            if library in sys.modules:
                module = sys.modules[library]
                patch.setattr(module.Client, "send", seen_by(send, module.Client.send))
                patch.setattr(module.AsyncClient, "send", seen_by(send, module.AsyncClient.send))
        yield


def seen_by(send: Any, original: Any) -> Any:
    def sent(client: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        send(request)
        return original(client, request, *args, **kwargs)

    return sent
