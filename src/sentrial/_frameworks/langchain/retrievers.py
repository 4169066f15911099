"""A retriever's run: a search in a data source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sentrial._frameworks.langchain import kinds, untold
from sentrial._frameworks.langchain.documents import read_documents
from sentrial._frameworks.langchain.recorder import Recorder
from sentrial._frameworks.langchain.runs import Start, current
from sentrial._spans import event, step
from sentrial._spans.step import Step
from sentrial.types import Deferred

_DATA_SOURCE = "data_source_id"
_PROVIDER = "ls_vector_store_provider"
_TOP_K = "top_k"
_CAPITALS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SUFFIX = re.compile(r"(_?vector_?store|_?vector_?search)$")


def started(recorder: Recorder, start: Start, query: str) -> None:
    """A retriever is about to look for ``query``."""
    run = recorder.begin(kinds.RETRIEVER, start._replace(run_id=untold.copy(start.run_id)), query)
    if run is None:
        return
    session = run.session
    if session is not None and run.told is None:
        said = start.metadata or {}
        top_k = said.get(_TOP_K)
        with current(run.context):
            search = step.begin_retrieval(
                session,
                said.get(_DATA_SOURCE) or kinds.own_name(start.name),
                _provider(said.get(_PROVIDER)),
                top_k if type(top_k) is int else None,
            )
            search.set_query(query)
            run.span = search
            run.contain(event.context_of(search.span, session))
    run.enter()
    untold.watch(run, start.run_id)


def _provider(class_name: object) -> str | None:
    """Who keeps the documents, as the conventions write names: from the class of LangChain's store."""
    if not isinstance(class_name, str) or not class_name:
        return None
    words = _CAPITALS.sub("_", class_name).lower()
    return _SUFFIX.sub("", words) or words


def ended(recorder: Recorder, run_id: UUID, documents: Sequence[Any]) -> None:
    """The retriever has found ``documents``."""
    run = recorder.runs.find(run_id)
    if run is not None and isinstance(run.span, Step):
        run.span.set_documents(Deferred(documents, read_documents))
    recorder.finish(run_id)
