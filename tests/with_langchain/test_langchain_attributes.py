"""All that a model call can say, made through LangChain: with the provider's client patched, and by LangChain alone."""

from __future__ import annotations

from importlib import metadata

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool
from openai import OpenAIError
from pydantic import BaseModel

import sentrial
from fake_provider import Answer, FakeProvider
from langchain_scenarios import NAMED, QUESTION, Models
from receivers import OtlpHttpReceiver
from scenario import Recording

MESSAGES = [("system", "You track parcels."), ("user", QUESTION)]
BEFORE = "" if tuple(map(int, metadata.version("langchain-openai").split(".")[:2])) >= (1, 7) else "_oldest"
"""The oldest does not tell what was written to a cache."""
SETTINGS = {
    "max_tokens": 300,
    "temperature": 0.2,
    "top_p": 0.9,
    "frequency_penalty": 0.1,
    "presence_penalty": 0.3,
    "seed": 7,
    "n": 2,
    "stop_sequences": ["END"],
    "service_tier": "default",
}


@tool
def find_order(number: int) -> str:
    """Find an order by its number."""
    return f"order {number}"


class Delivery(BaseModel):
    """Where and when."""

    city: str
    day: str


def keep_words(recording: Recording, error: Exception) -> None:
    """What the failure is called, and what it says, differs by LangChain's version."""
    kind = type(error)
    recording.words[f"{kind.__module__}.{kind.__qualname__}"] = "openai.BadRequestError"
    recording.words[kind.__name__] = "BadRequestError"
    recording.words[str(error)] = "(its words)"


@pytest.fixture(params=["langchain", "unpatched"])
def who(request: pytest.FixtureRequest, collector: OtlpHttpReceiver) -> str:
    """Who tells of the call: the provider's client too, or LangChain alone."""
    if request.param == "unpatched":
        sentrial.configure(otlp_endpoint=collector.url, instrument=["langchain"])
    return str(request.param)


def test_all_that_can_be_set(recording: Recording, server: FakeProvider, models: Models, who: str) -> None:
    server.queue(Answer.reply("chat_choices"))
    model = models.openai(**SETTINGS).bind_tools([find_order])
    with recording(f"{who}_settings"):
        model.invoke(MESSAGES, {"metadata": {"thread_id": "parcel-77"}})


def test_a_form_and_how_hard_to_think(recording: Recording, server: FakeProvider, models: Models, who: str) -> None:
    server.queue(Answer.reply("chat_json"))
    model = models.openai(model="o4-mini", reasoning_effort="low").with_structured_output(Delivery)
    with recording(f"{who}_reasoning"):
        model.invoke(QUESTION)


def test_sound_and_pictures(recording: Recording, server: FakeProvider, models: Models, who: str) -> None:
    server.queue(Answer.reply("chat_media"))
    with recording(f"{who}_media{BEFORE}" if who == "unpatched" else f"{who}_media"):
        models.openai(model="gpt-4o-audio-preview").bind(modalities=["text", "audio"]).invoke(QUESTION)


def test_a_response_that_goes_on_from_another(
    recording: Recording, server: FakeProvider, models: Models, who: str
) -> None:
    server.queue(Answer.reply("response_text"))
    prompt = {"id": "pmpt_1", "version": "2", "variables": {"name": "Ada"}}
    model = models.openai(use_responses_api=True).bind(previous_response_id="resp_0", prompt=prompt)
    with recording(f"{who}_response{BEFORE}" if who == "unpatched" else f"{who}_response"):
        model.invoke(MESSAGES)


def test_a_cache_that_is_written(recording: Recording, server: FakeProvider, models: Models) -> None:
    server.queue(Answer.reply("message_thinking"))
    with recording("langchain_cache"):
        models.anthropic(top_k=40, max_tokens=300, stop_sequences=["END"]).invoke(MESSAGES)


def test_pieces(recording: Recording, server: FakeProvider, models: Models, who: str) -> None:
    server.queue(Answer.stream())
    with recording(f"{who}_pieces"):
        list(models.openai().stream(MESSAGES))


def test_a_refusal(recording: Recording, server: FakeProvider, models: Models, who: str) -> None:
    server.queue(Answer.error(400, "no"))
    with recording(f"{who}_refused"):
        with pytest.raises(OpenAIError) as caught:
            models.openai().invoke(QUESTION)
        keep_words(recording, caught.value)


def test_an_agent_with_settings_of_its_own_that_fails(
    recording: Recording, server: FakeProvider, models: Models
) -> None:
    server.queue(Answer.reply("chat_tools"), Answer.error(400, "no"))
    model = models.openai(**SETTINGS).bind(response_format={"type": "json_object"})
    agent = create_agent(model, [find_order], name="tracker")
    recording.words.update(NAMED)
    with recording("langchain_agent_failed"):
        with pytest.raises(OpenAIError) as caught:
            agent.invoke({"messages": [("user", QUESTION)]}, {"configurable": {"thread_id": "parcel-77"}})
        keep_words(recording, caught.value)
