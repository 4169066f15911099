"""Why an answer ended, in the words of the services that speak OpenAI's APIs."""

from __future__ import annotations

import pytest

from sentrial._providers.openai.finish_reasons import read_finish_reason


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("stop", "stop"),
        ("eos", "stop"),  # Together
        ("length", "length"),
        ("model_length", "length"),  # Mistral
        ("tool_calls", "tool_call"),
        ("function_call", "tool_call"),
        ("content_filter", "content_filter"),
        ("insufficient_system_resource", "insufficient_system_resource"),  # DeepSeek
        ("", "error"),
        (None, "error"),
        (7, "error"),
    ],
)
def test_what_the_conventions_have_a_word_for_is_said_by_it(reason: object, said: str) -> None:
    assert read_finish_reason(reason) == said
