"""A model's run: one span with its tokens, whoever else watches the call that the model makes of it."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from opentelemetry import context as otel_context

from sentrial import _guard, semconv
from sentrial._frameworks.langchain import kinds, others, untold
from sentrial._frameworks.langchain.answer import read_response
from sentrial._frameworks.langchain.chains import agent_around
from sentrial._frameworks.langchain.recorder import Recorder
from sentrial._frameworks.langchain.request import read_request
from sentrial._frameworks.langchain.runs import Run, Start, current
from sentrial._spans import joined, llm
from sentrial.types import LlmRequest, LlmResponse

_BATCH = otel_context.create_key("sentrial-langchain-batch")
_THOUGHT = re.compile(r"Thought:\s*(.*?)(?=\n\s*(?:Action|Final Answer)\b|\Z)", re.DOTALL)


class _Batch:
    """The runs of one ``generate([...])``: LangChain begins them all before it makes the first call."""

    __slots__ = ("around", "calls", "opened", "parent_run_id", "runs", "session", "size")

    def __init__(self, run: Run, parent_run_id: UUID | None, size: int) -> None:
        self.around = run.context
        self.session = run.session
        self.opened = run.opened
        self.parent_run_id = parent_run_id
        self.size = size
        self.runs: dict[Recorder, list[UUID]] = {}
        self.calls: list[llm.AnyCall] = []

    def has_room(self, run: Run, parent_run_id: UUID | None, size: int) -> bool:
        """Whether ``run`` is one of these: the next that begins where the last has begun."""
        whole = (self.session, self.parent_run_id, self.size)
        return whole == (run.session, parent_run_id, size) and len(self.runs.get(run.recorder, ())) < size


class ModelRun:
    """A model call, as LangChain tells of it."""

    __slots__ = ("batch", "call", "pieces", "request", "streamed")

    def __init__(self, request: LlmRequest, call: llm.AnyCall | None, batch: _Batch) -> None:
        self.batch = batch
        self.request = request
        self.call = call
        self.pieces: list[Any] = []
        self.streamed = False

    def end(self, error: BaseException | None = None, end_time: int | None = None) -> None:
        """End it without an answer."""
        self.close(error, None, end_time)

    def close(self, error: BaseException | None, response: LlmResponse | None, end_time: int | None) -> None:
        """End it with what it gave."""
        call = self.call
        if call is None:
            return
        attributes = {semconv.GEN_AI_REQUEST_STREAM: True} if self.streamed else {}
        if error is not None and (response is None or response.output is None):
            response = self._so_far() or response
        if error is None:
            end = llm.STREAM_DRAINED if self.streamed else None
            call.succeed(response, stream_end=end, attributes=attributes, end_time=end_time)
        elif isinstance(error, GeneratorExit):
            call.succeed(response, stream_end=llm.STREAM_CLOSED, attributes=attributes, end_time=end_time)
        else:
            end = llm.STREAM_ERROR if self.streamed else None
            call.fail(error, response, stream_end=end, attributes=attributes, end_time=end_time)

    @_guard.guarded("reading what came of an answer", _guard.nothing)
    def _so_far(self) -> LlmResponse | None:
        """The answer as far as it has come: of what is broken off LangChain itself tells nothing."""
        if not self.pieces:
            return None
        first, *more = self.pieces
        # Those of chats can be added up in one go.
        whole = (
            (first + more if more else first)
            if hasattr(first, "message")
            else functools.reduce(operator.add, more, first)
        )
        return read_response({"generations": [[whole]]}, broken=True)


def started(
    recorder: Recorder,
    start: Start,
    operation: str,
    serialized: Mapping[str, Any] | None,
    given: Sequence[Any],
    *,
    invocation_params: Mapping[str, Any] | None = None,
    batch_size: int = 1,
) -> None:
    """A model is about to be called with ``given``: messages, or a prompt; ``batch_size`` calls are made at once."""
    recorder.counters.start()
    run = recorder.begin(kinds.MODEL, start._replace(run_id=untold.copy(start.run_id)), given)
    if run is None:
        return
    batch = _batch_of(run, untold.copy(start.parent_run_id), batch_size)
    request = read_request(operation, serialized, given, invocation_params, start.metadata)
    call: llm.AnyCall | None = None
    if run.told is not None and others.tells_of(run.told, request):
        context = joined.told_by_another(run.context, run.told)
    else:
        with current(batch.around):
            call = llm.begin(request, has_span=recorder.models)
        batch.calls.append(call)
        context = joined.around(call.context, batch.calls)
    model = run.span = ModelRun(request, call, batch)
    run.contain(otel_context.set_value(_BATCH, batch, context))
    run.enter()
    # LangChain begins completions in tasks of their own.
    completes = operation == semconv.OPERATION_TEXT_COMPLETION
    untold.watch(run, start.run_id, goes_on=lambda _: completes or model.streamed)


def _batch_of(run: Run, parent_run_id: UUID | None, size: int) -> _Batch:
    found = otel_context.get_value(_BATCH) if size > 1 else None
    if isinstance(found, _Batch) and found.has_room(run, parent_run_id, size):
        batch = found
        if batch.opened is not None:
            run.opened = batch.opened.share()
    else:
        batch = _Batch(run, parent_run_id, size)
    batch.runs.setdefault(run.recorder, []).append(run.id)
    return batch


def token(recorder: Recorder, run_id: UUID, piece: object = None) -> None:
    """A piece of the answer has come, and the program may be about to get it: between pieces nothing is current."""
    run = recorder.runs.find(run_id)
    if run is None or not isinstance(run.span, ModelRun):
        return
    run.leave()
    pieces = run.span.pieces
    # A list of callbacks may hold one handler twice.
    if piece is not None and not (pieces and pieces[-1] is piece):
        pieces.append(piece)
    if not run.span.streamed:
        run.span.streamed = True
        recorder.runs.keep_sessions(run)  # a stream that is left may be read to its end after what is around it
        if run.span.call is not None:
            run.span.call.mark_chunk()


def ended(recorder: Recorder, run_id: UUID, result: object) -> None:
    """The model has answered."""
    run = recorder.runs.find(run_id)
    answer = _first_of(result)
    text = _text_of(answer)
    if run is not None and text:
        run.counters.gave = text
        run.counters.reasoning = read_thought(text) or run.counters.reasoning
    _close(recorder, run_id, None, lambda: read_response(result), _said_in(answer))


def _first_of(result: Any) -> Any:
    """The first of a model's answers."""
    return next((generation for several in getattr(result, "generations", ()) for generation in several), None)


def _text_of(answer: Any) -> str:
    text = getattr(answer, "text", None)
    return str(text) if _guard.is_a(text, str) else ""


def _said_in(answer: Any) -> object:
    """What the program gets of an answer: a chat's message, or the text."""
    message = getattr(answer, "message", None)
    return _text_of(answer) or None if message is None else message


def failed(recorder: Recorder, run_id: UUID, error: BaseException, result: object) -> None:
    """The model has raised ``error``. ``result``: what came before, if anything did."""
    run = recorder.runs.find(run_id)
    _close(recorder, run_id, error, lambda: LlmResponse() if result is None else read_response(result, broken=True))
    if run is not None and isinstance(run.span, ModelRun) and not untold.is_awaited():
        # Chats are asked one after the other: the first that fails is the last that LangChain tells of.
        for handler, run_ids in run.span.batch.runs.items():
            for other_id in run_ids:
                handler.finish(other_id, error)


def _close(
    recorder: Recorder,
    run_id: UUID,
    error: BaseException | None,
    read: Callable[[], LlmResponse],
    given: object = None,
) -> None:
    run = recorder.runs.find(run_id)
    if run is None or not isinstance(run.span, ModelRun):
        return
    model = run.span
    try:
        response = read()
    except Exception as failed_to_read:  # noqa: BLE001 - a span without its answer is better than none
        _guard.failed("reading an answer of LangChain's", failed_to_read)
        response = LlmResponse()
    run.leave()
    try:
        model.close(error, response, run.over_at)
        _count(run, model, response, error)
    finally:
        recorder.finish(run_id, error, given)


def _count(run: Run, model: ModelRun, response: LlmResponse, error: BaseException | None) -> None:
    """Count what is known of the call now that it is over; what has joined another run's call is counted there."""
    call = model.call
    if isinstance(call, joined.InnerCall):
        return
    request, whole = (model.request, response) if call is None else (call.request, call.response or response)
    if error is None or whole.usage is not None:
        run.counters.add(request, whole, whole.usage)
    agent = agent_around(run)
    if agent is not None:
        agent.profile.learn(request, whole)


def read_thought(text: str) -> str | None:
    """What a model of the older agents thought before it acted."""
    found = _THOUGHT.findall(text)
    return found[-1].strip() or None if found else None
