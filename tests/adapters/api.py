"""What an API answers to the small call of the contract, and what should be recorded of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fake_provider import Answer


@dataclass(frozen=True)
class Api:
    """One API, whichever client asks it.

    Attributes:
        model: what is asked.
        asked: the arguments of a small call, other than the model and the question.
        question_in: the argument that the question stands in.
        ask: the value of that argument for a question.
        operation: the conventions' word for it.
        request: attributes that the request gives, besides operation, model and server.
        response: attributes that the answer gives.
        answer_id: the id of the answer.
        text: what is answered.
        steps: how many chunks a program reads until ``partial`` has come.
        partial: the beginning of ``text``.
        events: how many server-sent events these chunks are.
        chunks: how many chunks the stream has in all.
        plain: the answer in one piece.
        stream: the answer as a stream; takes what :class:`Answer` takes.
        error: a refusal with a status and words.
        broken: a stream that says an error in these words, after ``partial``.
        tools: the answer that asks for tools, in one piece.
        tools_stream: the same as a stream.
        tool_calls: the names and arguments of these.
        errors: the type of exception for a status.
        stream_error: the type of exception for an error in a stream.
        text_of: the text in an answer of the client's.
        id_of: the id in an answer of the client's.
        empty: answers with nothing in them.
    """

    model: str
    asked: Mapping[str, Any]
    question_in: str
    ask: Callable[[str], Any]
    operation: str
    request: Mapping[str, Any]
    response: Mapping[str, Any]
    answer_id: str
    text: str
    steps: int
    partial: str
    events: int
    chunks: int
    plain: Callable[..., Answer]
    stream: Callable[..., Answer]
    error: Callable[[int, str], Answer]
    broken: Callable[[str], Answer]
    tools: Callable[[], Answer]
    tools_stream: Callable[[], Answer]
    tool_calls: Sequence[tuple[str, Any]]
    errors: Mapping[int, str]
    stream_error: str
    text_of: Callable[[Any], Any]
    id_of: Callable[[Any], Any]
    empty: Sequence[Mapping[str, Any]]
    finish_of_tools: str = "tool_call"
