"""Arguments that a function of ours does not have: one word with the remedy, and all that stands beside them counts."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

import sentrial
from receivers import SentrialStandIn
from running import arrived
from sentrial import SentrialClient, _config
from sentrial._unknown_arguments import lenient

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


def test_a_mistyped_argument_of_configure_leaves_the_others_in_force(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        sentrial.configure(capture_content=False, store="off", sampel_rate=0.5)  # type: ignore[call-arg]  # the mistake
    assert _config.active.capture_content == "off"
    assert caplog.messages == [
        "sentrial: sampel_rate is no argument of configure(), and is ignored: did you mean sample_rate?"
    ]


def test_what_is_set_by_variable_only_is_named_with_its_variable(caplog: pytest.LogCaptureFixture) -> None:
    sentrial.configure(capture_content=False, agent_name="x", pii_key="secret")  # type: ignore[call-arg]  # the mistake
    assert _config.active.capture_content == "off"
    assert caplog.messages == [
        "sentrial: agent_name is no argument of configure(), and is ignored: set SENTRIAL_AGENT_NAME.",
        "sentrial: pii_key is no argument of configure(), and is ignored: set SENTRIAL_PII_KEY.",
    ]


def test_asked_to_be_loud_configure_raises_once_the_rest_is_in_force(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValueError, match=r"agent_name is no argument of configure\(\), .*: set SENTRIAL_AGENT_NAME\.$"):
        sentrial.configure(capture_content=False, fail_silently=False, agent_name="x")  # type: ignore[call-arg]  # the mistake
    assert _config.active.capture_content == "off"
    with pytest.raises(ValueError, match=r"agent_name is no argument .* sample_rate=2 is not usable"):
        sentrial.configure(sample_rate=2, fail_silently=False, agent_name="x")  # type: ignore[call-arg]  # the mistake
    assert caplog.messages == []


def test_every_call_of_a_session_is_recorded_without_the_argument_it_does_not_have(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    client: Any = SentrialClient(api_key=KEY, api_url=server.url, cache=True)  # type: ignore[call-arg]  # the mistake
    session_id = client.create_session("n", agent_name="by id", user_id="u", convo="c")
    client.track_tool_call(session_id, "told by id", {}, {}, latency=3)
    assert client.complete_session(session_id, sucess=False)["status"] == "completed"
    session: Any = client.begin("u", event="agent", question="?")
    with session.tool("looked", inputs={}), session.llm("gpt-4o", temperature=1) as call:
        call.set_usage(input_tokens=3, completion_tokens=4)
    session.track_error("e", kind="k")
    assert session.finish(success=True, answer="a")["status"] == "completed"
    spans = arrived(server)
    assert set(spans) == {
        "invoke_agent by id", "execute_tool told by id", "invoke_agent agent", "execute_tool looked", "chat gpt-4o",
        "error",
    }  # fmt: skip
    assert spans["chat gpt-4o"]["attributes"]["gen_ai.usage.output_tokens"] == 4
    assert [words.partition(", and is ignored: ")[0] for words in caplog.messages] == [
        f"sentrial: {name} is no argument of {function}()"
        for name, function in {
            "cache": "SentrialClient", "convo": "create_session", "latency": "track_tool_call",
            "sucess": "complete_session", "question": "begin", "inputs": "tool", "temperature": "llm",
            "input_tokens": "set_usage", "kind": "track_error", "answer": "finish",
        }.items()
    ]  # fmt: skip


def test_a_loud_client_raises_once_the_event_is_recorded(server: SentrialStandIn) -> None:
    client: Any = SentrialClient(api_key=KEY, api_url=server.url, fail_silently=False)
    session = client.begin("u", "agent")
    with pytest.raises(ValueError, match=r"^sentrial: answer is no argument of finish\(\), "):
        session.finish(success=True, answer="a")
    with pytest.raises(ValueError, match=r"^sentrial: cache is no argument of SentrialClient\(\), "):
        SentrialClient(fail_silently=False, cache=True)  # type: ignore[call-arg]  # the mistake
    assert arrived(server)["invoke_agent agent"]["attributes"]["sentrial.session.outcome"] == "completed"


def test_a_function_stays_as_it_is_and_its_own_errors_are_its_own() -> None:
    def add(first: int, second: int = 1, *, third: Any = 0) -> int:
        """Adds."""
        return first + second + int(third)

    taking = lenient()(add)
    assert taking(1, second=2, third=3) == 6
    assert inspect.signature(taking) == inspect.signature(add)
    assert (taking.__name__, taking.__doc__) == ("add", "Adds.")
    with pytest.raises(TypeError, match="int"):
        taking(1, third=[])
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'first'"):
        taking(second=2)  # type: ignore[call-arg]  # the mistake
