from __future__ import annotations

import json
import logging
import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.trace import Link, SpanContext, Status, StatusCode

import sentrial
from receivers import SentrialStandIn
from sentrial._export.redact import FAILED, SecretMasker, redact_span
from sentrial._json import JsonWriter, Texts
from sentrial._snapshot import Tally, snapshot

KEY = "sentrial_live_0123456789"


@pytest.fixture(scope="module")
def masker() -> SecretMasker:
    return SecretMasker()


def test_what_stands_under_a_secret_name_is_masked_whatever_it_is(masker: SecretMasker) -> None:
    writer = JsonWriter(masker, Texts())
    arguments = {
        "db": {"password": 1234, "api_key": ["a", "b"], "credentials": {"user": "x", "pin": 1}},
        "has_password": True, "password": None, "secret": "", "user": "Ada",
    }  # fmt: skip
    assert json.loads(writer.json(snapshot(arguments, Tally()))) == {
        "db": {"password": "[masked]", "api_key": "[masked]", "credentials": "[masked]"},
        "has_password": True, "password": None, "secret": "", "user": "Ada",
    }  # fmt: skip
    assert writer.masked == 3


def test_a_secret_in_a_key_is_masked_too(masker: SecretMasker) -> None:
    writer = JsonWriter(masker, Texts())
    assert writer.json({"sk-proj-0123456789abcdef": 1}) == '{"sk-[masked]":1}'


# --- the application's own mask ---------------------------------------------------------------------------------------


def test_the_applications_mask_comes_after_the_built_in_one() -> None:
    seen: list[str] = []

    def hide_names(text: str) -> str:
        seen.append(text)
        return text.replace("Ada", "[name]")

    assert SecretMasker(hide_names).mask("Ada: password=hunter2") == "[name]: password=[masked]"
    assert seen == ["Ada: password=[masked]"]


@pytest.mark.parametrize("fails", [lambda text: 1 // 0, lambda text: None, lambda text: text.encode()])
def test_a_mask_that_fails_costs_the_text_and_is_said_once(
    fails: Callable[[str], Any], caplog: pytest.LogCaptureFixture
) -> None:
    masker = SecretMasker(fails)
    assert masker.mask("Ada's secret diary") == FAILED == "[masking failed]"
    assert masker.mask("another text of hers") == FAILED
    assert len(caplog.records) == 1
    assert "the mask given to configure() failed" in caplog.text
    assert "diary" not in caplog.text


def test_the_span_arrives_where_the_mask_fails(caplog: pytest.LogCaptureFixture) -> None:
    def fail(text: str) -> str:
        if "Ada" in text:
            raise ValueError(text)
        return text

    with SentrialStandIn([KEY]) as server:
        sentrial.configure(api_key=KEY, api_url=server.url, mask=fail)
        session = sentrial.begin("u1", "support", input="Ada asks")
        session.track_tool_call("search", {"name": "Ada", "n": 1}, {"found": "it"})
        session.finish(output="fine")
        assert sentrial.flush(20)
        spans = {span["name"]: span["attributes"] for span in server.spans}
    root, tool = spans["invoke_agent support"], spans["execute_tool search"]
    assert json.loads(root["gen_ai.input.messages"])[0]["parts"] == [{"type": "text", "content": FAILED}]
    assert json.loads(root["gen_ai.output.messages"])[0]["parts"] == [{"type": "text", "content": "fine"}]
    assert json.loads(tool["gen_ai.tool.call.arguments"]) == {"name": FAILED, "n": 1}
    assert json.loads(tool["gen_ai.tool.call.result"]) == {"found": "it"}
    (warning,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert warning.getMessage() == (
        "sentrial: the mask given to configure() failed (ValueError); each text that it fails on is replaced by "
        "[masking failed]."
    )


# --- spans of others --------------------------------------------------------------------------------------------------


def ended_span() -> ReadableSpan:
    provider = TracerProvider(shutdown_on_exit=False)
    linked = SpanContext(1, 2, is_remote=False)
    span = provider.get_tracer("http").start_span(
        "GET https://me:hunter2@host/",
        attributes={
            "url.full": "https://me:hunter2@host/path?sig=abcdefghijkl",
            "http.request.header.authorization": ["Bearer x1"],
            "http.request.header.x_api_key": ["abc", "def"],
            "db.connection_string": "Server=db",
            "db.query.text": "ALTER USER a WITH password='hunter2'",
            "app.password": 1234,
            "app.has_password": True,
            "list": ["a", "redis://:hunter2@cache"],
            "numbers": [1, 2],
            "http.response.status_code": 200,
        },
        links=[Link(linked, {"to": "redis://:hunter2@cache"})],
    )
    span.add_event(
        "exception",
        {
            "exception.type": "OperationalError",
            "exception.message": "could not connect to postgres://me:hunter2@db/prod",
            "exception.stacktrace": 'File "x.py", line 1\n  connect(password="hunter2")\nOperationalError',
        },
    )
    span.set_status(Status(StatusCode.ERROR, "connect(password='hunter2') failed"))
    span.end()
    return span


def test_a_third_party_span_is_masked_everywhere(masker: SecretMasker) -> None:
    original = ended_span()
    span = redact_span(original, masker)
    assert "hunter2" not in span.to_json()
    assert span.name == "GET https://me:[masked]@host/"
    assert dict(span.attributes) == {
        "url.full": "https://me:[masked]@host/path?sig=[masked]",
        "http.request.header.authorization": ["[masked]"],
        "http.request.header.x_api_key": ["[masked]", "[masked]"],
        "db.connection_string": "[masked]",
        "db.query.text": "ALTER USER a WITH password='[masked]'",
        "app.password": "[masked]",
        "app.has_password": True,
        "list": ["a", "redis://:[masked]@cache"],
        "numbers": [1, 2],
        "http.response.status_code": 200,
    }
    assert span.status.description == "connect(password='[masked]') failed"
    assert span.status.status_code is StatusCode.ERROR
    (event,) = span.events
    assert dict(event.attributes) == {
        "exception.type": "OperationalError",
        "exception.message": "could not connect to postgres://me:[masked]@db/prod",
        "exception.stacktrace": 'File "x.py", line 1\n  connect(password="[masked]")\nOperationalError',
    }
    assert dict(span.links[0].attributes) == {"to": "redis://:[masked]@cache"}
    assert (span.context, span.start_time, span.end_time) == (original.context, original.start_time, original.end_time)
    # The application's own exporters get what the application wrote.
    assert original.name == "GET https://me:hunter2@host/"
    assert original.attributes["app.password"] == 1234


# --- all the ways a secret can come -----------------------------------------------------------------------------------


def test_no_secret_leaves_by_any_way() -> None:
    with SentrialStandIn([KEY]) as server:
        sentrial.configure(api_key=KEY, api_url=server.url)
        with sentrial.begin("u1", "support", input="my password: hunter2") as session:
            with trace.get_tracer("db").start_as_current_span("query") as span:
                span.set_attribute("db.connection", "postgres://me:hunter2@db/prod")
                span.add_event("connected", {"password": "hunter2"})
            session.track_tool_call(
                "login",
                {"user": "Ada", "password": "hunter2", "body": b'{"password": "hunter2"}'},
                {"headers": {"Set-Cookie": "hunter2"}, "url": "https://me:hunter2@host/"},
                reasoning="with password=hunter2",
                metadata={"db_password": "hunter2", "note": "password=hunter2", "nested": {"secret": "hunter2"}},
                tool_error={"message": "login with password=hunter2 failed"},
            )
            session.track_error(
                "cannot reach redis://:hunter2@cache",
                "ConnectionError",
                stack_trace='connect(password="hunter2")',
                metadata={"secret": "hunter2"},
            )
            session.track_decision(
                "since password=hunter2", ["try password=hunter2", "stop"], chosen="password=hunter2"
            )
            session.track_llm_call(
                "m", input="password=hunter2", output={"password": "hunter2"}, error="password=hunter2"
            )
            try:
                with session.tool("connect", {"dsn": "postgres://me:hunter2@db/prod"}):
                    raise ConnectionError("no route to postgres://me:hunter2@db/prod")
            except ConnectionError:
                pass
            session.set_output("the password is: 'x', password='hunter2'")
        assert sentrial.flush(20)
        body = server.otlp_json()
    assert len(server.spans) == 7
    assert "hunter2" not in body
    assert body.count("[masked]") >= 20


def test_error_words_on_the_applications_own_exporters_hold_no_secret() -> None:
    program = textwrap.dedent(
        """
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
        trace.set_tracer_provider(provider)
        import sentrial
        try:
            with sentrial.begin("u1", "support", input="hello there", metadata={"password": "hunter2"}) as session:
                raise RuntimeError("no route to postgres://me:hunter2@db/prod")
        except RuntimeError:
            pass
        """
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    span = json.loads(done.stdout)
    assert "hunter2" not in done.stdout
    assert "hello there" not in done.stdout
    assert span["status"]["description"] == "RuntimeError: no route to postgres://me:[masked]@db/prod"
