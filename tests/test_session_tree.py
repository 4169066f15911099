"""The shape of a session's trace, as it arrives at Sentrial: which span is whose child, and linked with what."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from opentelemetry import trace

import sentrial
from receivers import SentrialStandIn
from running import arrived, id_of, is_current, links_of, session_of
from sentrial import SentrialClient, _session

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


@pytest.fixture
def client(server: SentrialStandIn) -> SentrialClient:
    return SentrialClient(api_key=KEY, api_url=server.url)


def test_a_session_is_a_root_and_its_events_are_its_children(server: SentrialStandIn) -> None:
    session = sentrial.begin("u", "agent", input="hello", convo_id="c", metadata={"tier": 2})
    session.track_tool_call("search", {"q": 1}, [1, 2], reasoning="why")
    session.track_decision("because", ["a"], 0.5)
    session.track_llm_call("gpt-4o", provider="openai", prompt_tokens=3, completion_tokens=4)
    session.track_error("broken", "Broken")
    assert session.finish("bye", success=True) == {"id": session.session_id, "status": "completed", "success": True}

    spans = arrived(server)
    root = spans.pop("invoke_agent agent")
    assert id_of(root) == session.session_id
    assert len(session.session_id) == 49
    assert (root["parent_span_id"], root["kind"], root["status_code"], root["links"]) == (None, 1, 0, [])
    assert set(spans) == {"execute_tool search", "decision agent", "chat gpt-4o", "error"}
    for span in spans.values():
        assert (span["trace_id"], span["parent_span_id"]) == (root["trace_id"], root["span_id"])
    for span in (root, *spans.values()):
        assert session_of(span) == session.session_id
        assert (span["attributes"]["session.id"], span["attributes"]["user.id"]) == ("c", "u")
    assert {name: span["attributes"].get("gen_ai.conversation.id") for name, span in spans.items()} == {
        "execute_tool search": "c",
        "chat gpt-4o": "c",
        "decision agent": None,
        "error": None,
    }


def test_live_events_nest_as_their_blocks_do(server: SentrialStandIn) -> None:
    with sentrial.begin("u", "agent") as session, session.decision("why") as decision:
        with session.tool("outer", {"a": 1}), session.llm("gpt-4o", provider="openai"):
            session.track_tool_call("inner", {}, {})
        decision.choose("it")

    spans = arrived(server)
    chain = ["execute_tool inner", "chat gpt-4o", "execute_tool outer", "decision agent", "invoke_agent agent"]
    for child, parent in itertools.pairwise(chain):
        assert spans[child]["parent_span_id"] == spans[parent]["span_id"], child
    assert spans["invoke_agent agent"]["parent_span_id"] is None


def test_a_session_without_a_conversation_is_its_own_conversation(server: SentrialStandIn) -> None:
    session = sentrial.begin("u", "agent")
    session.finish()
    attributes = arrived(server)["invoke_agent agent"]["attributes"]
    assert attributes["session.id"] == session.session_id
    assert "gen_ai.conversation.id" not in attributes
    assert "sentrial.convo_id" not in attributes


def test_a_session_without_a_user_has_no_user_id(server: SentrialStandIn) -> None:
    sentrial.begin(None, "agent").finish()
    assert "user.id" not in arrived(server)["invoke_agent agent"]["attributes"]


def test_a_session_is_linked_with_its_caller_both_ways_and_no_child_of_it(server: SentrialStandIn) -> None:
    sentrial.begin("u", "first").finish()  # makes the provider
    with trace.get_tracer("web").start_as_current_span("GET /") as caller:
        session = sentrial.begin("u", "agent")
        session.finish()
        caller_id = _session.format_id(caller.get_span_context())
        (back,) = caller.links  # type: ignore[attr-defined]  # the SDK's own
    root = arrived(server)["invoke_agent agent"]
    assert root["parent_span_id"] is None
    assert links_of(root) == [("caller", caller_id)]
    assert root["trace_id"] != caller_id[:32]
    assert (_session.format_id(back.context), dict(back.attributes)) == (
        session.session_id,
        {"sentrial.link": "session"},
    )


def test_a_bare_begin_never_adopts_the_next_session(server: SentrialStandIn) -> None:
    first = sentrial.begin("u", "first")  # its finish() is forgotten, by a loop that raised, say
    second = sentrial.begin("u", "second")
    second.finish()
    first.finish()
    spans = arrived(server)
    assert spans["invoke_agent second"]["parent_span_id"] is None
    assert session_of(spans["invoke_agent second"]) == second.session_id == id_of(spans["invoke_agent second"])
    assert second.session_id[:32] != first.session_id[:32]
    assert links_of(spans["invoke_agent second"]) == [("caller", first.session_id)]
    assert links_of(spans["invoke_agent first"]) == [("session", second.session_id)]


def test_a_created_session_is_never_a_child(server: SentrialStandIn, client: SentrialClient) -> None:
    with client.begin("u", "outer") as outer:
        created = client.create_session("name", "created", "u")
        assert is_current(outer.session_id)
        assert client.complete_session(created)["status"] == "completed"
    root = arrived(server)["invoke_agent created"]
    assert root["parent_span_id"] is None
    assert id_of(root) == created
    assert links_of(root) == [("caller", outer.session_id)]


def test_a_session_in_the_block_of_another_is_its_sub_agent(server: SentrialStandIn) -> None:
    with sentrial.begin("u", "outer", convo_id="c") as outer:
        with sentrial.begin("u", "inner") as inner:
            inner.track_tool_call("t", {}, {})
            assert inner.session_id == outer.session_id
        assert is_current(outer.session_id)
    spans = arrived(server)
    tool, sub, root = (spans[name] for name in ("execute_tool t", "invoke_agent inner", "invoke_agent outer"))
    assert (tool["parent_span_id"], sub["parent_span_id"]) == (sub["span_id"], root["span_id"])
    assert {span["trace_id"] for span in spans.values()} == {root["trace_id"]}
    assert {session_of(span) for span in spans.values()} == {outer.session_id}
    assert sub["attributes"]["gen_ai.conversation.id"] == "c"
    assert sub["attributes"]["sentrial.session.tool_calls"] == 1
    assert root["attributes"]["sentrial.session.tool_calls"] == 1


def test_another_user_opens_a_root_of_its_own_inside_a_block(server: SentrialStandIn) -> None:
    with sentrial.begin("ann", "outer") as outer, sentrial.begin("bob", "inner") as inner:
        inner.track_tool_call("t", {}, {})
    spans = arrived(server)
    assert spans["invoke_agent inner"]["parent_span_id"] is None
    assert inner.session_id == id_of(spans["invoke_agent inner"]) != outer.session_id
    assert links_of(spans["invoke_agent inner"]) == [("caller", outer.session_id)]
    assert session_of(spans["execute_tool t"]) == inner.session_id
    assert [spans[name]["attributes"]["user.id"] for name in ("invoke_agent outer", "invoke_agent inner")] == [
        "ann",
        "bob",
    ]
    assert spans["invoke_agent outer"]["attributes"]["sentrial.session.tool_calls"] == 0


def test_another_account_opens_a_root_of_its_own_inside_a_block(server: SentrialStandIn) -> None:
    other = SentrialClient(api_key="sentrial_other_key", api_url=server.url)
    server.keys |= {"sentrial_other_key"}
    with sentrial.begin("u", "outer") as outer, other.begin("u", "inner") as inner:
        assert inner.session_id != outer.session_id
    assert sentrial.flush(10)
    assert [span["name"] for span in server.spans_of(KEY)] == ["invoke_agent outer"]
    assert [span["name"] for span in server.spans_of("sentrial_other_key")] == ["invoke_agent inner"]


def test_a_parent_session_is_a_link_and_an_attribute(server: SentrialStandIn, client: SentrialClient) -> None:
    parent = client.create_session("p", "parent", "u")
    child = client.create_session("c", "child", "u", parent_session_id=parent)
    client.complete_session(child)
    client.complete_session(parent)
    root = arrived(server)["invoke_agent child"]
    assert (root["parent_span_id"], id_of(root)) == (None, child)
    assert links_of(root) == [("parent_session", parent)]
    assert root["attributes"]["sentrial.parent_session_id"] == parent
    assert root["attributes"]["sentrial.session.name"] == "c"
