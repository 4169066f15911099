"""Each path that Anthropic's client posts to is recorded, or on the list of those that are not, with a reason."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sentrial._providers.anthropic import PROVIDER
from surface import Listed, connections_of, posts_of, read_list

LISTED = read_list("anthropic")


def options_of(path: str, method: str) -> Any:
    return SimpleNamespace(url=path, method=method, json_data={}, extra_json=None, params={}, headers={})


def lines_for(path: str) -> list[Listed]:
    return [line for line in LISTED if line.covers(path)]


@pytest.mark.parametrize("path", sorted(posts_of("anthropic")))
def test_a_path_is_on_one_list(path: str) -> None:
    lines = lines_for(path)
    assert {line.recorded for line in lines} in ({True}, {False}), f"{path} of {posts_of('anthropic')[path]}"
    (said,) = {line.said for line in lines if line.recorded} or {None}
    outgoing = PROVIDER.recognise(object(), (object(), options_of(path, "post")), {})
    assert (outgoing.operation.name if outgoing else None) == said


def test_the_client_holds_no_connections_of_its_own() -> None:
    assert list(connections_of("anthropic")) == []


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("post", "/v1/messages?beta=true", "chat"),
        ("get", "/v1/messages/batches/b_1", None),
        ("get", "/v1/sessions/s_1/events/stream", None),
        ("get", "/v1/models/claude-opus-4-5", None),
        ("delete", "/v1/messages", None),
    ],
)
def test_only_a_post_of_messages_is_recorded(method: str, path: str, operation: str | None) -> None:
    outgoing = PROVIDER.recognise(object(), (object(), options_of(path, method)), {})
    assert (outgoing.operation.name if outgoing else None) == operation


def test_the_client_posts_to_what_is_recorded_in_every_version() -> None:
    posts = posts_of("anthropic")
    assert {"/v1/messages", "/v1/messages/count_tokens", "/v1/messages/batches"} <= set(posts)
    assert all(line.said for line in LISTED)
