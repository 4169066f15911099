"""What LangChain calls back: each kind of run to the module of its name."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler

from sentrial import _guard, semconv
from sentrial._frameworks.langchain import ambient, chains, collection, models, overlooked, retrievers, tools, untold
from sentrial._frameworks.langchain.recorder import Recorder
from sentrial._frameworks.langchain.runs import Start
from sentrial._spans import aside

_quiet = _guard.guarded("recording LangChain", _guard.nothing)


def _last_word(tell: Callable[..., None]) -> Callable[..., None]:
    """What LangChain says at the end of a run: inside a garbage collection too, of a stream that nobody holds any more.

    There it is put aside as a whole, and the run ends at that moment.
    """
    tell = _quiet(tell)

    @functools.wraps(tell)
    def told(self: RunHandler, said: object, *, run_id: UUID, **kwargs: Any) -> None:
        if collection.is_here():
            self._recorder.runs.note_end(run_id)
            aside.put(functools.partial(tell, self, said, run_id=run_id, **kwargs))
        else:
            tell(self, said, run_id=run_id, **kwargs)

    return told


class RunHandler(BaseCallbackHandler):
    """Records every model call, tool, retriever, agent and graph of the runs that it is given to."""

    # In the program's own thread and task: there the span of a run can be current while its body runs.
    run_inline = True

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        # LangChain lets a failure of ours through in our own tests alone.
        self.raise_error = _guard.strict
        self._hold(recorder)

    def _hold(self, recorder: Recorder) -> None:
        self._recorder = recorder
        overlooked.tell_all(RunHandler)
        collection.watch()

    def __deepcopy__(self, memo: dict[int, Any]) -> RunHandler:
        return self

    def __copy__(self) -> RunHandler:
        return self

    def __getstate__(self) -> dict[str, Any]:
        """For another process: all but what is recorded, which stays here."""
        return {name: value for name, value in vars(self).items() if name != "_recorder"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._hold(self._recorder_here())

    def _recorder_here(self) -> Recorder:
        return ambient.recorder()

    # --- models ------------------------------------------------------------------------------------------------------

    @_quiet
    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[Any]], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """A chat model is about to be called."""
        self._model(semconv.OPERATION_CHAT, serialized, messages[0] if messages else [], run_id, kwargs)

    @_quiet
    def on_llm_start(self, serialized: dict[str, Any], prompts: list[str], *, run_id: UUID, **kwargs: Any) -> None:
        """A model that completes a text is about to be called."""
        self._model(semconv.OPERATION_TEXT_COMPLETION, serialized, prompts, run_id, kwargs)

    def _model(
        self, operation: str, serialized: dict[str, Any], given: Sequence[Any], run_id: UUID, said: Mapping[str, Any]
    ) -> None:
        models.started(
            self._recorder,
            _start(run_id, said),
            operation,
            serialized,
            given,
            invocation_params=said.get("invocation_params"),
            batch_size=said.get("batch_size", 1),
        )

    @_quiet
    def on_llm_new_token(self, token: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """A piece of the answer has come."""
        models.token(self._recorder, run_id, kwargs.get("chunk"))

    @_quiet
    def on_stream_event(self, event: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """A piece of the answer has come, as an event of LangChain's newer streams."""
        models.token(self._recorder, run_id)

    @_last_word
    def on_llm_end(self, response: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """A model has answered."""
        models.ended(self._recorder, run_id, response)

    @_last_word
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A model has failed."""
        models.failed(self._recorder, run_id, error, kwargs.get("response"))

    # --- tools and retrievers ----------------------------------------------------------------------------------------

    @_quiet
    def on_tool_start(self, serialized: dict[str, Any], input_str: str, *, run_id: UUID, **kwargs: Any) -> None:
        """A tool is about to run."""
        tools.started(
            self._recorder,
            _start(run_id, kwargs),
            serialized,
            input_str,
            inputs=kwargs.get("inputs"),
            call_id=kwargs.get("tool_call_id"),
        )

    @_last_word
    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """A tool has given something."""
        tools.ended(self._recorder, run_id, output)

    @_last_word
    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A tool has failed."""
        self._recorder.finish(run_id, error)

    @_quiet
    def on_retriever_start(self, serialized: dict[str, Any], query: str, *, run_id: UUID, **kwargs: Any) -> None:
        """A retriever is about to search."""
        retrievers.started(self._recorder, _start(run_id, kwargs), query)

    @_last_word
    def on_retriever_end(self, documents: Sequence[Any], *, run_id: UUID, **kwargs: Any) -> None:
        """A retriever has found something."""
        retrievers.ended(self._recorder, run_id, documents)

    @_last_word
    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A retriever has failed."""
        self._recorder.finish(run_id, error)

    # --- chains, graphs and agents -----------------------------------------------------------------------------------

    @_quiet
    def on_chain_start(self, serialized: dict[str, Any], inputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """A chain, a graph, one of its nodes or an agent is about to run."""
        chains.started(self._recorder, _start(run_id, kwargs), inputs)

    @_last_word
    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """It has given something."""
        chains.ended(self._recorder, run_id, outputs, kwargs.get("inputs"))

    @_last_word
    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """It has failed, or was left."""
        chains.failed(self._recorder, run_id, error, kwargs.get("inputs"))

    @_quiet
    def on_agent_action(self, action: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """An older agent has chosen what to do next."""
        chains.acted(self._recorder, run_id, action)

    @_quiet
    def on_agent_finish(self, finish: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """An older agent has come to its answer."""
        chains.answered(self._recorder, finish)


def _start(run_id: UUID, said: Mapping[str, Any]) -> Start:
    untold.leave(said.get("parent_run_id"))
    return Start(run_id, said.get("parent_run_id"), said.get("name"), said.get("tags"), said.get("metadata"))
