"""What a retriever has found, as the conventions list it."""

from __future__ import annotations

from typing import Any

from sentrial._providers.values import fields_of, number

_SCORES = ("score", "relevance_score", "similarity_score", "_score")
_SOURCES = ("id", "_id", "source")


def read_documents(copy: Any) -> list[dict[str, Any]]:
    """The snapshot of a list of LangChain's documents, best first.

    ``id``: the document's own, else what its metadata name as its source, else its place in the list. ``score`` is
    ``None`` where nobody said it: most stores give none.
    """
    return [_read_document(document, place) for place, document in enumerate(copy)]


def _read_document(document: Any, place: int) -> dict[str, Any]:
    said = fields_of(document)
    metadata = fields_of(said.get("metadata"))
    own = [said.get("id"), *(metadata.get(key) for key in _SOURCES)]
    entry: dict[str, Any] = {
        "id": next((str(each) for each in own if each is not None and each != ""), str(place)),
        "score": next((score for key in _SCORES if (score := number(metadata.get(key))) is not None), None),
        "content": said.get("page_content") if said else str(document),
    }
    if metadata:
        entry["metadata"] = metadata
    return entry
