"""Each path that OpenAI's client posts to is recorded, or stands on the list of those that are not, with a reason."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sentrial._providers.openai import PROVIDER
from surface import Listed, connections_of, posts_of, read_list

LISTED = read_list("openai")


def options_of(path: str, method: str) -> Any:
    return SimpleNamespace(url=path, method=method, json_data={}, extra_json=None, params={}, headers={})


def lines_for(path: str) -> list[Listed]:
    return [line for line in LISTED if line.covers(path)]


@pytest.mark.parametrize("path", sorted(posts_of("openai")))
def test_a_path_is_on_one_list(path: str) -> None:
    lines = lines_for(path)
    assert {line.recorded for line in lines} in ({True}, {False}), f"{path} of {posts_of('openai')[path]}"
    (said,) = {line.said for line in lines if line.recorded} or {None}
    outgoing = PROVIDER.recognise(object(), (object(), options_of(path, "post")), {})
    assert (outgoing.operation.name if outgoing else None) == said


def test_every_connection_is_on_the_list() -> None:
    for resource in connections_of("openai"):
        # A resource is a package with a module of its name in it.
        name = ".".join(dict.fromkeys(resource.removeprefix("openai.resources.").split(".")))
        assert [line.recorded for line in lines_for(f"connect {name}")] == [False], name


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("get", "/responses/resp_1", "fetch_response"),
        ("get", "/responses/resp_1?beta=true", "fetch_response"),
        ("get", "/responses/resp_1/input_items", None),
        ("delete", "/responses/resp_1", None),
        ("post", "/responses?beta=true", "chat"),
        ("get", "/chat/completions", None),
        ("get", "/models/gpt-5", None),
    ],
)
def test_what_is_no_post_is_recorded_only_where_an_answer_is_fetched(
    method: str, path: str, operation: str | None
) -> None:
    outgoing = PROVIDER.recognise(object(), (object(), options_of(path, method)), {})
    assert (outgoing.operation.name if outgoing else None) == operation


def test_the_client_posts_to_what_is_recorded_in_every_version() -> None:
    posts = posts_of("openai")
    assert {"/chat/completions", "/completions", "/embeddings"} <= set(posts)
    assert len(posts) >= 30
    assert all(line.said for line in LISTED)


def test_a_path_that_is_on_no_list_is_found() -> None:
    assert lines_for("/poems") == []
    assert [line.recorded for line in lines_for("/images/generations/hd")] == [False]
    assert [line.said for line in lines_for("/responses")] == ["chat"]
