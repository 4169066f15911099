"""What acme_llm's requests and answers mean: all that it takes to have its calls recorded. It imports no client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sentrial.instrumentors import ClientInstrumentor
from sentrial.providers import (
    Deferred,
    LlmRequest,
    LlmResponse,
    Message,
    Operation,
    Outgoing,
    Part,
    Provider,
    Role,
    Target,
    Usage,
)

# --- requests: on the program's own thread, before the call. Only picks values; content is left for later ----------


def read_request(outgoing: Outgoing) -> LlmRequest:
    """What is about to be asked."""
    body = outgoing.body
    turns = body.get("turns")
    return LlmRequest(
        operation="chat",
        provider="acme",
        model=body.get("model"),
        stream=outgoing.stream,
        server_address=outgoing.client.host,
        server_port=outgoing.client.port,
        temperature=body.get("temperature"),
        input=Deferred(turns, read_turns) if isinstance(turns, list) else None,
    )


def read_turns(turns: Any) -> list[Message]:
    """The copy of the turns that was taken before the call. Runs on a thread of ours."""
    return [Message("assistant" if turn["who"] == "model" else "user", [Part.text(turn["says"])]) for turn in turns]


# --- answers: what the client returned, or what the accumulator made of a stream -------------------------------------


def read_response(answer: Any) -> LlmResponse:
    """The answer."""
    spent = answer.get("spent")
    stopped = answer.get("why_it_stopped")
    return LlmResponse(
        id=answer.get("id"),
        model=answer.get("model"),
        finish_reasons=["stop" if stopped == "done" else stopped or "error"],
        usage=Usage(input_tokens=spent["read"], output_tokens=spent["written"]) if spent else None,
        output=Deferred(answer.get("says"), lambda says: [Message("assistant", [Part.text(says)])]),
    )


class Pieces:
    """Puts the pieces of a stream together: each comes here as the program gets it."""

    def __init__(self) -> None:
        self.complete = False
        self._said: list[str] = []
        self._rest: dict[str, Any] = {}

    def add(self, chunk: Any) -> None:
        """Take one piece."""
        self._said.append(chunk.get("says", ""))
        self._rest |= {key: value for key, value in chunk.items() if key != "says"}
        self.complete = "why_it_stopped" in chunk

    def result(self) -> dict[str, Any]:
        """What came, as the answer in one piece would have been."""
        return {**self._rest, "says": "".join(self._said).strip()}


ASK = Operation(name="chat", read_request=read_request, read_response=read_response, make_accumulator=Pieces)


# --- the client: where its calls go through, and which of them are a model's -----------------------------------------


def recognise(client: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Outgoing | None:
    """The call that ``send(path, body)`` is about to make; ``None`` where no model answers."""
    path, body = args
    return Outgoing(ASK, client, body, stream=bool(body.get("stream")), path=path) if path == "/v1/ask" else None


PROVIDER = Provider(
    name="acme_llm",
    packages=("acme_llm",),
    targets=(
        Target("acme_llm", "Connection", "send"),
        Target("acme_llm", "Connection", "send_async"),
        Target("acme_llm", "Connection", "prepare", Role.ATTEMPT),
    ),
    recognise=recognise,
    identify=lambda client: getattr(client, "connection", client),
)


class AcmeInstrumentor(ClientInstrumentor):
    """For ``AcmeInstrumentor().instrument()``, and ``opentelemetry-instrument``."""

    client = "acme_llm"
