"""Pain D4: what a version of a client does not have costs that one thing alone; a client that is not there, nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from receivers import SentrialStandIn
from running import run_program
from sentrial._providers import PROVIDERS

TESTS = Path(__file__).parent
KEY = "sentrial_test_key"

ONE_TARGET_GONE = """
import asyncio, importlib, json, logging, sys
sys.path.insert(0, {tests!r})
from adapters import ADAPTERS
from fake_provider import FakeProvider
from recorder import Recorder
from sentrial import _guard
from sentrial._patch import install
from sentrial._providers import PROVIDERS
from sentrial._spans import source

(provider,) = (each for each in PROVIDERS if each.name == {name!r})
adapters = [each for each in ADAPTERS if each.module.replace("google.genai", "google") == provider.name]
ways = [(adapter, streamed) for adapter in adapters for streamed in (False, True)]
said = []
handler = logging.Handler(logging.INFO + 1)
handler.emit = lambda record: said.append(record.getMessage())
logging.getLogger().addHandler(handler)
recorder = Recorder()
source.resolve_with(lambda: recorder.provider)
targets = []
for target in provider.targets:
    try:
        importlib.import_module(target.module)
    except ImportError:
        continue  # of a newer version
    if target.owner() is not None and target.method in vars(target.owner()):
        targets.append(target)

async def outcome(make, streamed, url):
    client = make(url)
    try:
        if streamed:
            chunks = await client.drain(await client.stream())
            return "right" if len(chunks) == client.api.chunks else "wrong"
        return "right" if client.api.text_of(await client.create()) == client.api.text else "wrong"
    except Exception as error:
        return type(error).__name__
    finally:
        await client.aclose()

async def without(gone, url):
    owner = gone.owner()
    kept = vars(owner)[gone.method]
    delattr(owner, gone.method)
    try:
        plain = [await outcome(*way, url) for way in ways]
        others = [(each, vars(each.owner())[each.method]) for each in targets if each != gone]
        install.install(None, PROVIDERS)
        unpatched = [str(each) for each, method in others if vars(each.owner())[each.method] is method]
        recorder.clear()
        ours, recorded = [], []
        for way in ways:
            before = len(recorder.spans)
            ours.append(await outcome(*way, url))
            recorded.append(len(recorder.spans) - before)
        install.uninstall()
        left = [str(each) for each, method in others if vars(each.owner())[each.method] is not method]
    finally:
        setattr(owner, gone.method, kept)
    return dict(gone=str(gone), role=gone.role.value, plain=plain, ours=ours, recorded=recorded,
                unpatched=unpatched, left=left)

async def main():
    with FakeProvider() as server:
        rows = [await without(gone, server.url) for gone in targets]
        install.install(None, PROVIDERS)
        recorder.clear()
        whole = [await outcome(*way, server.url) for way in ways]
    print(json.dumps(dict(rows=rows, whole=whole, recorded=len(recorder.spans), ways=len(ways), said=said)))

asyncio.run(main())
"""

CLIENTS_ABSENT = """
import importlib.abc, json, logging, sys

HIDDEN = ("openai", "anthropic", "google.genai")

class Hiding(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if any(name == hidden or name.startswith(hidden + ".") for hidden in HIDDEN):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
        return None

sys.meta_path.insert(0, Hiding())
said = []
handler = logging.Handler(logging.INFO + 1)
handler.emit = lambda record: said.append([record.name, record.getMessage()])
logging.getLogger().addHandler(handler)

import sentrial

sentrial.configure(api_key={key!r}, api_url={url!r})
with sentrial.begin("user_1", "agent", input="Where is it?") as session:
    session.set_output("In Lisbon.")
sentrial.flush(30)
sentrial.shutdown(5)
absent = []
for name in HIDDEN:
    try:
        __import__(name)
    except ImportError:
        absent.append(name)
print(json.dumps([said, absent]))
"""


@pytest.mark.parametrize("name", [provider.name for provider in PROVIDERS])
def test_pain_d4_one_method_that_is_gone_leaves_all_others_working(name: str) -> None:
    (found,) = run_program(ONE_TARGET_GONE.format(tests=str(TESTS), name=name)).printed
    assert found["said"] == []
    assert found["whole"] == ["right"] * found["ways"]
    assert found["recorded"] == found["ways"] >= 4
    assert len(found["rows"]) >= 4
    for row in found["rows"]:
        assert row["unpatched"] == row["left"] == [], row["gone"]
        assert row["ours"] == row["plain"], row["gone"]
        # What the client can do without the method is recorded once a call, whichever method it was.
        counts = [count for count, said in zip(row["recorded"], row["plain"], strict=True) if said == "right"]
        assert counts == [1] * len(counts), row["gone"]
        assert counts or row["role"] != "call", row["gone"]


def test_pain_d4_clients_that_are_not_installed_are_no_news() -> None:
    with SentrialStandIn([KEY]) as server:
        finished = run_program(CLIENTS_ABSENT.format(key=KEY, url=server.url))
        said, absent = finished.printed[0]
        assert [span["name"] for span in server.spans] == ["invoke_agent agent"]
    assert absent == ["openai", "anthropic", "google.genai"]
    assert said == []
    assert finished.err == ""
