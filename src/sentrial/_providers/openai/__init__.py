"""OpenAI's client, and every service that is asked through it: one line a kind of call."""

from __future__ import annotations

from sentrial._patch.spec import Provider, Target
from sentrial._providers import stainless
from sentrial._providers.openai import chat, completions, embeddings, responses, tool_runs

# A package in newer clients was the module itself in older ones.
_RESOURCES = (
    ("chat.completions.completions", "Completions"),
    ("chat.completions", "Completions"),
    ("responses.responses", "Responses"),
    ("embeddings", "Embeddings"),
    ("completions", "Completions"),
)

PROVIDER = Provider(
    name="openai",
    packages=("openai",),
    targets=(*stainless.targets("openai"), *tool_runs.TARGETS),
    recognise=stainless.build_recognise(
        posts={
            "/chat/completions": chat.OPERATION,
            "/completions": completions.OPERATION,
            "/embeddings": embeddings.OPERATION,
            "/responses": responses.CREATE,
            "/responses/compact": responses.COMPACT,
        },
        gets={"/responses": responses.FETCH},
    ),
    shape=stainless.SHAPE,
    identify=stainless.identify,
    read_sent=stainless.read_sent,
    add_fields=stainless.add_fields,
    read_error_code=stainless.read_error_code,
    read_tool=tool_runs.read_tool,
    read_tool_result=tool_runs.read_tool_result,
    surfaces=[
        Target(f"openai.resources.{module}", f"{kind}{cls}", "create")
        for module, cls in _RESOURCES
        for kind in ("", "Async")
    ],
)
