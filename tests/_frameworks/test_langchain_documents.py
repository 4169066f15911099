from __future__ import annotations

from typing import Any

from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_scenarios.overheard import read
from sentrial._frameworks.langchain.documents import read_documents
from sentrial.types import Deferred


def listed(documents: Any) -> Any:
    return read(Deferred(documents, read_documents))


def test_a_document_has_its_id_its_text_and_what_is_known_of_it() -> None:
    document = Document("Parcels rest at night.", id="rule-7", metadata={"source": "rules.md", "score": 0.75})

    assert listed([document]) == [
        {
            "id": "rule-7",
            "score": 0.75,
            "content": "Parcels rest at night.",
            "metadata": {"source": "rules.md", "score": 0.75},
        }
    ]


def test_without_an_id_it_is_known_by_its_source_and_without_that_by_its_place() -> None:
    documents = [Document("a", metadata={"source": "a.md"}), Document("b"), Document("c", metadata={"_id": 9})]

    assert [(each["id"], each["score"]) for each in listed(documents)] == [("a.md", None), ("1", None), ("9", None)]


def test_what_a_store_has_found_keeps_its_order_and_its_ids() -> None:
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=8))
    store.add_documents([Document(text, id=text) for text in ("lisbon", "porto")])

    found = listed(store.as_retriever().invoke("porto"))

    assert [each["id"] for each in found] == ["porto", "lisbon"]
    assert all(each["content"] == each["id"] and "metadata" not in each for each in found)


def test_what_is_no_document_is_told_as_text() -> None:
    assert listed(["just words"]) == [{"id": "0", "score": None, "content": "just words"}]
