"""Pain D3: what a patched client is, has and returns is what it was, and its helpers are recorded all the same."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import pytest
from anthropic import Anthropic, AsyncAnthropic
from pydantic import BaseModel

from adapters import ADAPTERS, Adapter
from adapters.fixtures import clients_of
from fake_provider import FakeProvider
from recorder import Recorder
from recorder.fixtures import patched, recorder, server
from recorder.reading import said
from sentrial._patch import install

__all__ = ["patched", "recorder", "server"]

WORDS = "Your parcel left Lisbon this morning and arrives tomorrow."
ASK: dict[str, Any] = {
    "model": "claude-opus-4-5",
    "max_tokens": 200,
    "messages": [{"role": "user", "content": "Where is parcel PT-77?"}],
}
HELPERS = ["text_stream", "get_final_text", "get_final_message", "until_done", "snapshot", "events", "left to itself"]


client = clients_of(ADAPTERS)


def looks(value: Any) -> dict[str, Any]:
    """All that an object says of itself: of its public attributes, what they are and how they are called."""
    seen: dict[str, Any] = {"type": type(value), "class": value.__class__, "mro": type(value).__mro__}
    for name in dir(type(value)):
        if name.startswith("_") and name not in ("__iter__", "__next__", "__aiter__", "__anext__", "__enter__"):
            continue
        attribute = inspect.getattr_static(value, name)
        seen[name] = [type(attribute), getattr(attribute, "__doc__", None), inspect.iscoroutinefunction(attribute)]
        if inspect.isfunction(attribute):
            seen[name].append(inspect.signature(attribute))
    return {**seen, "names": dir(value), "callable": callable(value), "awaitable": inspect.isawaitable(value)}


def public(value: Any) -> list[str]:
    """The names of the attributes of its own that a program may know of."""
    return sorted(name for name in getattr(value, "__dict__", {}) if not name.startswith("_"))


async def test_pain_d3_an_answer_is_the_clients_own_object(client: Adapter, recorder: Recorder) -> None:
    ours = await client.create()
    install.uninstall()
    theirs = await client.create()
    assert isinstance(ours, BaseModel)
    assert looks(ours) == looks(theirs)
    assert sorted(vars(ours)) == sorted(vars(theirs))
    for copied in (copy.copy(ours), copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert type(copied) is type(theirs)
        assert client.api.text_of(copied) == client.api.text_of(theirs)
    assert recorder.started == 1


async def test_pain_d3_a_stream_is_the_clients_own_object(client: Adapter, recorder: Recorder) -> None:
    ours = await client.stream()
    seen, kept = looks(ours), public(ours)
    chunks = await client.drain(ours)
    assert looks(ours) == seen
    install.uninstall()
    theirs = await client.stream()
    assert seen == looks(theirs)
    assert kept == public(theirs)
    assert list(map(type, chunks)) == list(map(type, await client.drain(theirs)))
    assert [type(pickle.loads(pickle.dumps(chunk))) for chunk in chunks] == list(map(type, chunks))
    assert list(map(type, copy.deepcopy(chunks))) == list(map(type, chunks))
    assert recorder.started == 1


async def test_pain_d3_a_client_and_its_methods_look_as_ever(client: Adapter, recorder: Recorder) -> None:
    owner = client.method.__self__
    ours = [looks(client.client), looks(owner), looks(client.method), inspect.signature(client.method)]
    install.uninstall()
    assert ours == [looks(client.client), looks(owner), looks(client.method), inspect.signature(client.method)]


async def test_pain_d3_a_copy_of_a_client_is_one_and_is_recorded(client: Adapter, recorder: Recorder) -> None:
    # None of the clients can be copied deeply or pickled: each has locks.
    original = client.client
    client.client = copy.copy(original)
    try:
        assert type(client.client) is type(original)
        assert client.api.text_of(await client.create()) == client.api.text
    finally:
        client.client = original
    assert len(recorder.spans) == 1


def use(stream: Any, helper: str) -> Any:
    """What ``helper`` of the stream gives."""
    if helper == "text_stream":
        return "".join(stream.text_stream)
    if helper == "events":
        return [event.type for event in stream][-1]
    if helper == "left to itself":
        return None
    if helper == "snapshot":
        stream.until_done()
        return stream.current_message_snapshot.content[0].text
    return getattr(stream, helper)()


async def use_async(stream: Any, helper: str) -> Any:
    """The same of the asynchronous one."""
    if helper == "text_stream":
        return "".join([text async for text in stream.text_stream])
    if helper == "events":
        return [event.type async for event in stream][-1]
    if helper == "left to itself":
        return None
    if helper == "snapshot":
        await stream.until_done()
        return stream.current_message_snapshot.content[0].text
    return await getattr(stream, helper)()


def assert_told(recorder: Recorder, helper: str, given: Any) -> None:
    if helper == "left to itself":
        assert recorder.attributes["sentrial.stream.end"] == "closed"
        return
    if helper == "get_final_message":
        given = given.content[0].text
    assert given == {"until_done": None, "events": "message_stop"}.get(helper, WORDS)
    assert said(recorder) == WORDS
    wanted = {"gen_ai.usage.input_tokens": 21, "gen_ai.usage.output_tokens": 13, "sentrial.stream.end": "drained"}
    assert {key: recorder.attributes.get(key) for key in wanted} == wanted


def messages_of(client: Any, surface: str) -> Any:
    return client.beta.messages if surface == "beta" else client.messages


SURFACES = ["messages", *(["beta"] if hasattr(Anthropic(api_key="none").beta.messages, "stream") else [])]


@pytest.mark.usefixtures("patched")
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("helper", HELPERS)
def test_pain_d3_each_helper_of_anthropics_stream_is_a_span_with_text_and_usage(
    server: FakeProvider, recorder: Recorder, helper: str, surface: str
) -> None:
    with Anthropic(api_key="sk-test", base_url=server.url, max_retries=0) as client:
        with messages_of(client, surface).stream(**ASK) as stream:
            seen = looks(stream)
            given = use(stream, helper)
        assert_told(recorder, helper, given)
        install.uninstall()
        with messages_of(client, surface).stream(**ASK) as stream:
            assert looks(stream) == seen
            plain = use(stream, helper)
    assert (type(plain), plain) == (type(given), given)
    assert recorder.started == 1


@pytest.mark.usefixtures("patched")
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("helper", HELPERS)
async def test_pain_d3_so_is_each_of_the_asynchronous_one(
    server: FakeProvider, recorder: Recorder, helper: str, surface: str
) -> None:
    async with AsyncAnthropic(api_key="sk-test", base_url=server.url, max_retries=0) as client:
        async with messages_of(client, surface).stream(**ASK) as stream:
            seen = looks(stream)
            given = await use_async(stream, helper)
        assert_told(recorder, helper, given)
        install.uninstall()
        async with messages_of(client, surface).stream(**ASK) as stream:
            assert looks(stream) == seen
            plain = await use_async(stream, helper)
    assert (type(plain), plain) == (type(given), given)
    assert recorder.started == 1
