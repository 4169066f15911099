"""``@tool``: what of a call is recorded, under which names, and what never is."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterator
from typing import Any

import pytest

import sentrial
from decorated import arguments_of, in_order, result_of
from receivers import SentrialStandIn
from running import arrived
from sentrial.decorators import decision, session, tool

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


def test_all_forms_of_tool_name_the_tool(server: SentrialStandIn) -> None:
    @tool
    def bare() -> None: ...

    @tool()
    def empty() -> None: ...

    @tool("first")
    def given() -> None: ...

    @tool(name="second", description="Looks things up")
    def named() -> None: ...

    with sentrial.begin("u", "agent"):
        for function in (bare, empty, given, named, tool(functools.partial(given)), tool(named, name="third")):
            function()
    spans = in_order(server)
    assert [span["name"] for span in spans if span["name"] != "invoke_agent agent"] == [
        "execute_tool bare",
        "execute_tool empty",
        "execute_tool first",
        "execute_tool second",
        "execute_tool first",
        "execute_tool given",
        "execute_tool second",
        "execute_tool third",
    ]
    assert spans[3]["attributes"]["gen_ai.tool.description"] == "Looks things up"


@pytest.mark.parametrize("decorator", [tool, session, decision])
@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (int, "'int' is a class: decorate the method that does the work"),
        (7, "7 is none: write @"),
        ([], r"\[\] is none"),
    ],
)
def test_what_is_no_function_is_refused_by_name(decorator: Any, thing: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        decorator(thing)
    with pytest.raises(TypeError, match=words):
        decorator("name")(thing)


def test_a_tool_records_arguments_by_name_and_its_result(server: SentrialStandIn) -> None:
    @tool
    def search(query: str, /, limit: int = 5, *more: str, exact: bool = False, **filters: Any) -> list[str]:
        return [query]

    with sentrial.begin("u", "agent"):
        search("a")
        search("b", 1, "c", exact=True, lang="en", query="shadowed")
    first, second, root = in_order(server)
    assert arguments_of(first) == {"query": "a", "limit": 5, "exact": False}
    assert arguments_of(second) == {
        "query": "b", "limit": 1, "more": ["c"], "exact": True, "filters": {"lang": "en", "query": "shadowed"},
    }  # fmt: skip
    assert result_of(first) == {"result": ["a"]}
    assert first["parent_span_id"] == root["span_id"]
    assert root["attributes"]["sentrial.session.tool_calls"] == 2


def test_a_tool_that_returns_a_dict_or_nothing_records_it_as_it_is(server: SentrialStandIn) -> None:
    @tool
    def find() -> dict[str, int]:
        return {"hits": 3}

    @tool
    def log() -> None: ...

    with sentrial.begin("u", "agent"):
        find()
        log()
    spans = arrived(server)
    assert result_of(spans["execute_tool find"]) == {"hits": 3}
    assert result_of(spans["execute_tool log"]) == {"result": None}


def test_tools_nest_and_are_current_while_they_run(server: SentrialStandIn) -> None:
    @tool
    def inner(text: str) -> str:
        return text.upper()

    @tool
    async def outer(text: str) -> str:
        await asyncio.sleep(0)
        return inner(text)

    async def run() -> str:
        with sentrial.begin("u", "agent"):
            return await outer("a")

    assert asyncio.run(run()) == "A"
    spans = arrived(server)
    assert spans["execute_tool inner"]["parent_span_id"] == spans["execute_tool outer"]["span_id"]
    assert spans["execute_tool outer"]["parent_span_id"] == spans["invoke_agent agent"]["span_id"]


def test_a_tool_that_raises_is_failed_and_the_exception_is_its_own(server: SentrialStandIn) -> None:
    error = ValueError("no such order")

    @tool
    def find(order: str) -> None:
        raise error

    with sentrial.begin("u", "agent"), pytest.raises(ValueError, match="no such order") as caught:
        find("o1")
    assert caught.value is error
    assert [entry.name for entry in caught.traceback][-2:] == ["call", "find"]
    span = arrived(server)["execute_tool find"]
    assert (span["status_code"], span["attributes"]["error.type"]) == (2, "ValueError")
    assert [event["name"] for event in span["events"]] == ["exception"]
    assert "gen_ai.tool.call.result" not in span["attributes"]


def test_a_call_that_does_not_fit_is_recorded_as_it_came_and_fails_as_ever(server: SentrialStandIn) -> None:
    @tool
    def find(order: str) -> None: ...

    call: Any = find
    with sentrial.begin("u", "agent"), pytest.raises(TypeError, match=r"find\(\) got an unexpected keyword argument"):
        call("o1", colour="red")
    span = arrived(server)["execute_tool find"]
    assert arguments_of(span) == {"order": "o1", "colour": "red"}
    assert span["attributes"]["error.type"] == "TypeError"


def test_callables_of_all_kinds_can_be_tools(server: SentrialStandIn) -> None:
    class Search:
        def __call__(self, query: str) -> str:
            return query

    class Ask:
        async def __call__(self, query: str) -> str:
            await asyncio.sleep(0)
            return query

    class Store:
        def find(self, key_name: str) -> str:
            return key_name

    async def run() -> Any:
        with sentrial.begin("u", "agent"):
            return [
                tool(Search())("a"),
                await tool(Ask())("b"),
                tool(Store().find)("c"),
                tool(functools.partial(max, 1))(2),
                tool("shout")(str.upper)("d"),
            ]

    assert asyncio.run(run()) == ["a", "b", "c", 2, "D"]
    spans = arrived(server)
    assert {name: arguments_of(span) for name, span in spans.items() if name != "invoke_agent agent"} == {
        "execute_tool Search": {"query": "a"},
        "execute_tool Ask": {"query": "b"},
        "execute_tool find": {"key_name": "c"},
        "execute_tool max": {"args": [2]},
        "execute_tool shout": {},
    }
    assert result_of(spans["execute_tool Ask"]) == {"result": "b"}


def test_defect_14_methods_never_record_their_instance_or_secrets(server: SentrialStandIn) -> None:
    class Database:
        def __init__(self, dsn: str) -> None:
            self.dsn = dsn

        def __repr__(self) -> str:
            return f"Database({self.dsn})"

        @tool
        def query(self, sql: str, api_key: str, token: str = "t0p", dsn: bytes = b"db://x") -> str:
            return sql

        @tool
        @classmethod
        def connect(cls, credentials: dict[str, str], key: str) -> str:
            return "connected"

        @classmethod
        @tool("reconnect")
        def connect_again(cls, auth: object, **options: str) -> str:
            return "again"

        @tool
        @staticmethod
        def escape(text: str, password: str) -> str:
            return text

        @staticmethod
        @tool("quote")
        def quote_text(cls: str, nested: dict[str, str]) -> str:
            return cls

    database = Database("postgres://admin:hunter2@db")
    with sentrial.begin("u", "agent"):
        assert database.query("select 1", api_key="verysecret") == "select 1"
        assert Database.connect({"user": "verysecret"}, "verysecret") == "connected"
        assert database.connect_again(["open"], token="verysecret", db_password="verysecret", mode="ro") == "again"
        assert Database.escape("text", "verysecret") == "text"
        assert database.quote_text("sofa", {"key": "not secret as data", "api_key": "verysecret"}) == "sofa"
    spans = arrived(server)
    masked = "[masked]"
    assert {name: arguments_of(span) for name, span in spans.items() if name != "invoke_agent agent"} == {
        "execute_tool query": {"sql": "select 1", "api_key": masked, "token": masked, "dsn": masked},
        "execute_tool connect": {"credentials": masked, "key": masked},
        "execute_tool reconnect": {
            "auth": ["open"], "options": {"token": masked, "db_password": masked, "mode": "ro"},
        },
        "execute_tool escape": {"text": "text", "password": masked},
        "execute_tool quote": {"nested": {"key": "not secret as data", "api_key": masked}},
    }  # fmt: skip
    for request in server.requests:
        assert b"hunter2" not in request.body
        assert b"verysecret" not in request.body


def test_a_function_outside_of_classes_may_call_its_data_cls(server: SentrialStandIn) -> None:
    @tool
    def classify(cls: str) -> str:
        return cls

    with sentrial.begin("u", "agent"):
        classify("sofa")
    assert arguments_of(arrived(server)["execute_tool classify"]) == {"cls": "sofa"}


def test_defect_17_outside_of_sessions_a_tool_just_runs(server: SentrialStandIn) -> None:
    class Untouchable:
        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(f"looked at: {name}")

    @tool
    def size(things: Any) -> str:
        return "ran"

    @decision
    def choose(alternatives: Any) -> str:
        return "ran"

    itself: list[Any] = []
    itself.append(itself)
    for argument in (Untouchable(), itself, [0.5] * 1_000_000):
        assert size(argument) == choose(argument) == "ran"
    assert in_order(server) == []
    with sentrial.begin("u", "agent"):
        assert size(itself) == "ran"
    assert "execute_tool size" in arrived(server)


def test_pain_a4_arguments_are_recorded_as_they_were_at_the_call(server: SentrialStandIn) -> None:
    @tool
    def extend(messages: list[str]) -> list[str]:
        messages.append("added by the tool")
        return messages

    with sentrial.begin("u", "agent"):
        given = ["first"]
        extend(given).append("added afterwards")
    span = arrived(server)["execute_tool extend"]
    assert arguments_of(span) == {"messages": ["first"]}
    assert result_of(span) == {"result": ["first", "added by the tool"]}
