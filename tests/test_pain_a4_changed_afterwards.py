"""Pain A4, inputs recorded after mutation: what the program does to its values after the call shows nowhere."""

from __future__ import annotations

import copy
import json
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from openai import OpenAI

import sentrial
from fake_provider import FakeProvider
from receivers import SentrialStandIn
from running import arrived
from sentrial import SentrialClient

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        # Nothing is read from the queue before all is said and changed.
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=60)
        yield stand_in
        sentrial.shutdown(20)


class Held:
    """Values as agents hold them: nested, with things inside that cannot be copied."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.file = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed below
        self.value: dict[str, Any] = {
            "history": [{"role": "user", "content": "first"}], "tags": {"a"}, "raw": bytearray(b"first"),
            "lock": self.lock, "file": self.file, "nested": {"deep": [[1, 2], {"x": 1}]},
        }  # fmt: skip
        self.value["self"] = self.value

    def change(self) -> None:
        """Append, edit, remove and lock, wherever it can be done."""
        self.value["history"][0]["content"] = "CHANGED"
        self.value["history"].append("CHANGED")
        self.value["tags"].add("CHANGED")
        self.value["raw"][:] = b"CHANGED"
        self.value["nested"]["deep"][0].append("CHANGED")
        self.value["nested"]["deep"][1]["x"] = "CHANGED"
        self.value["new"] = "CHANGED"
        del self.value["self"]
        self.lock.acquire()
        self.file.close()

    def close(self) -> None:
        self.file.close()


@pytest.fixture
def held() -> Iterator[Held]:
    held = Held()
    yield held
    held.close()


def told(held: Held, session: Any) -> None:
    session.track_tool_call("t", held.value, held.value, reasoning="why", metadata=held.value)
    held.change()


def live(held: Held, session: Any) -> None:
    with session.tool("t", held.value, metadata=held.value) as call:
        call.set_output(held.value)
        held.change()


def by_id(held: Held, session: Any) -> None:
    SentrialClient().track_tool_call(session.session_id, "t", held.value, held.value, metadata=held.value)
    held.change()


@pytest.mark.parametrize("way", [told, live, by_id])
def test_a_tools_arguments_and_result(server: SentrialStandIn, held: Held, way: Callable[[Held, Any], None]) -> None:
    with sentrial.begin("u", "agent") as session:
        way(held, session)
    attributes = arrived(server)["execute_tool t"]["attributes"]
    assert "CHANGED" not in json.dumps(attributes)
    for key in ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"):
        value = json.loads(attributes[key])
        assert value["history"] == [{"role": "user", "content": "first"}]
        assert value["nested"] == {"deep": [[1, 2], {"x": 1}]}
        assert (value["tags"], value["raw"]) == (["a"], "first")
        assert "unlocked" in value["lock"]
    assert json.loads(attributes["sentrial.metadata.history"]) == [{"role": "user", "content": "first"}]


def test_a_session_s_input_output_and_metadata(server: SentrialStandIn, held: Held) -> None:
    other = Held()
    session = sentrial.begin("u", "agent", input=held.value, metadata=held.value)
    held.change()
    session.set_output(other.value)
    other.change()
    session.finish()
    attributes = arrived(server)["invoke_agent agent"]["attributes"]
    assert "CHANGED" not in json.dumps(attributes)
    for key in ("input.value", "output.value"):
        assert json.loads(attributes[key])["history"] == [{"role": "user", "content": "first"}]


def test_a_finished_session_s_output_and_metrics(server: SentrialStandIn, held: Held) -> None:
    metrics = {"score": 1.0}
    sentrial.begin("u", "agent").finish(held.value, custom_metrics=metrics)
    held.change()
    metrics["score"] = 2.0
    attributes = arrived(server)["invoke_agent agent"]["attributes"]
    assert "CHANGED" not in json.dumps(attributes)
    assert attributes["sentrial.metric.score"] == 1.0


def test_decisions_and_model_calls_told_by_hand(server: SentrialStandIn, held: Held) -> None:
    alternatives, messages = ["first"], [{"role": "user", "content": "first"}]
    with sentrial.begin("u", "agent") as session:
        session.track_decision("why", alternatives, metadata=held.value)
        session.track_llm_call("m", input=messages, output=messages, metadata=held.value)
        with session.decision("why", alternatives), session.llm("live", input=messages) as call:
            call.set_output(messages)
            alternatives[0] = messages[0]["content"] = "CHANGED"
            messages.append({"role": "user", "content": "CHANGED"})
            held.change()
    assert sentrial.flush(20)
    assert "CHANGED" not in json.dumps(server.spans)
    decisions = [span for span in server.spans if span["name"] == "decision agent"]
    assert [span["attributes"]["sentrial.decision.alternatives"] for span in decisions] == [["first"], ["first"]]


def test_the_messages_of_a_patched_client(server: SentrialStandIn) -> None:
    messages: list[Any] = [{"role": "user", "content": "first"}]
    tools: list[Any] = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    with FakeProvider() as provider, httpx.Client() as http, sentrial.begin("u", "agent"):
        client = OpenAI(api_key="none", base_url=provider.base_url, max_retries=0, http_client=http)
        for turn in range(3):
            sent = copy.deepcopy(messages)
            answer = client.chat.completions.create(model="gpt-4o", messages=messages, tools=tools)
            assert provider.requests[-1].body["messages"] == sent
            messages.append({"role": "assistant", "content": answer.choices[0].message.content})
            messages[0]["content"] = f"CHANGED {turn}"
            tools[0]["function"]["name"] = "CHANGED"
            answer.choices[0].message.content = "CHANGED"
    assert sentrial.flush(20)
    calls = [span["attributes"] for span in server.spans if span["name"] == "chat gpt-4o"]
    inputs = [json.loads(attributes["gen_ai.input.messages"]) for attributes in calls]
    assert [len(each) for each in inputs] == [1, 2, 3]
    assert [each[0]["parts"][0]["content"] for each in inputs] == ["first", "CHANGED 0", "CHANGED 1"]
    assert json.loads(calls[0]["gen_ai.tool.definitions"])[0]["name"] == "f"
    assert all("CHANGED" not in attributes["gen_ai.output.messages"] for attributes in calls)
