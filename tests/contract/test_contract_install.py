"""What holds of patching every client: whenever it comes, once, invisible, and taken back without a trace."""

from __future__ import annotations

import asyncio
import copy
import importlib
import inspect
import json
import pickle
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import wrapt

from adapters import ADAPTERS, Adapter
from fake_provider import FakeProvider
from recorder import Recorder
from sentrial._patch import install
from sentrial._providers import PROVIDERS

TESTS = Path(__file__).parents[1]

adapters = pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.name)


def class_and_name(place: tuple[str, str, str]) -> tuple[type, str]:
    """The class that has a method, and the method's name."""
    module, cls, method = place
    return getattr(importlib.import_module(module), cls), method


def as_it_looks(method: Any) -> list[Any]:
    """All that a program can ask a method about itself."""
    names = ("__doc__", "__name__", "__qualname__", "__module__", "__annotations__")
    return [
        type(method),
        inspect.signature(method),
        inspect.iscoroutinefunction(method),
        inspect.getsource(method),
        *(getattr(method, name) for name in names),
    ]


@adapters
def test_the_public_method_is_not_touched(adapter: type[Adapter]) -> None:
    owner, name = class_and_name(adapter.owner)
    before = vars(owner)[name]
    install.install(None, PROVIDERS)
    assert vars(owner)[name] is before
    install.uninstall()
    assert vars(owner)[name] is before


@adapters
def test_the_patched_method_looks_like_the_original(adapter: type[Adapter], patched: None) -> None:
    owner, name = class_and_name(adapter.patched)
    ours = getattr(owner, name)
    install.uninstall()
    theirs = getattr(owner, name)
    assert ours is not theirs
    assert type(ours) is types.FunctionType
    assert as_it_looks(ours) == as_it_looks(theirs)


@adapters
def test_methods_are_copied_and_pickled_like_the_originals(adapter: type[Adapter], patched: None) -> None:
    pickled = []
    for owner, name in (class_and_name(adapter.owner), class_and_name(adapter.patched)):
        method = getattr(owner, name)
        assert copy.deepcopy(method) is method
        assert pickle.loads(pickle.dumps(method)) is method
        pickled.append((owner, name, pickle.dumps(method)))
    install.uninstall()
    for owner, name, data in pickled:
        assert pickle.loads(data) is getattr(owner, name)
        assert pickle.dumps(getattr(owner, name)) == data


@adapters
def test_uninstalling_puts_the_very_original_back(adapter: type[Adapter]) -> None:
    owner, name = class_and_name(adapter.patched)
    before = vars(owner)[name]
    for _ in range(2):
        install.install(None, PROVIDERS)
        assert vars(owner)[name] is not before
        install.uninstall()
        assert vars(owner)[name] is before


async def test_installing_twice_records_once(client: Adapter, recorder: Recorder) -> None:
    install.install(None, PROVIDERS)
    install.install([provider.name for provider in PROVIDERS], PROVIDERS)
    await client.create()
    assert len(recorder.spans) == 1


async def test_a_method_kept_from_before_falls_silent_and_speaks_again(client: Adapter, recorder: Recorder) -> None:
    kept = client.method

    async def call() -> Any:
        answer = kept(**client.kwargs())
        return await answer if client.is_async else answer

    await call()
    install.uninstall()
    assert client.api.text_of(await call()) == client.api.text
    assert len(recorder.spans) == 1
    install.install(None, PROVIDERS)
    await call()
    await client.create()
    assert len(recorder.spans) == 3


@adapters
async def test_a_client_made_before_is_recorded(
    adapter: type[Adapter], server: FakeProvider, recorder: Recorder
) -> None:
    client = adapter(server.url)
    await client.create()
    assert recorder.spans == []
    install.install(None, PROVIDERS)
    try:
        await client.create()
    finally:
        install.uninstall()
    await client.aclose()
    assert len(recorder.spans) == 1


def wrap_as_another(owner: type, name: str) -> list[Any]:
    """Another instrumentation wraps the method: the instances that it is called on, as they come."""
    instances: list[Any] = []

    def wrapper(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        instances.append(instance)
        return wrapped(*args, **kwargs)

    wrapt.wrap_function_wrapper(owner, name, wrapper)
    return instances


async def test_another_instrumentation_on_top_of_ours_survives(client: Adapter, recorder: Recorder) -> None:
    owner, name = class_and_name(type(client).patched)
    ours = vars(owner)[name]
    theirs = wrap_as_another(owner, name)
    on_top = vars(owner)[name]
    try:
        install.install(None, PROVIDERS)
        assert vars(owner)[name] is on_top
        await client.create()
        assert (len(theirs), len(recorder.spans)) == (1, 1)
        install.uninstall()
        assert vars(owner)[name] is on_top
        await client.create()
        assert (len(theirs), len(recorder.spans)) == (2, 1)
        install.install(None, PROVIDERS)
        await client.create()
        assert (len(theirs), len(recorder.spans)) == (3, 2)
    finally:
        setattr(owner, name, ours)
    assert isinstance(theirs[0], owner)


async def test_another_instrumentation_below_ours_still_knows_its_instance(client: Adapter, recorder: Recorder) -> None:
    owner, name = class_and_name(type(client).patched)
    install.uninstall()
    original = vars(owner)[name]
    theirs = wrap_as_another(owner, name)
    below = vars(owner)[name]
    try:
        install.install(None, PROVIDERS)
        assert client.api.text_of(await client.create()) == client.api.text
        install.uninstall()
        assert vars(owner)[name] is below
    finally:
        setattr(owner, name, original)
    assert len(theirs) == len(recorder.spans) == 1
    assert isinstance(theirs[0], owner)


PROGRAM = """
import asyncio, json, sys
sys.path.insert(0, {tests!r})
from fake_provider import FakeProvider
from recorder import Recorder
from sentrial._patch import install
from sentrial._providers import PROVIDERS
from sentrial._spans import source

def patch():
    install.install(None, PROVIDERS)
    return [report.state for report in install.installed()]

recorder = Recorder()
source.resolve_with(lambda: recorder.provider)
states = []

async def main():
    with FakeProvider() as server:
        {order}
        await client.create()
        await client.aclose()

asyncio.run(main())
print(json.dumps([[span.name for span in recorder.spans], states, "{module}" in sys.modules]))
"""

MAKE_CLIENT = "from adapters import ADAPTERS; client = ADAPTERS[{index}](server.url)"
IMPORT = "import {module}"
PATCH = "states.extend(patch())"

ORDERS = {
    "patch, import, client": (PATCH, IMPORT, MAKE_CLIENT),
    "import, patch, client": (IMPORT, PATCH, MAKE_CLIENT),
    "import, client, patch": (IMPORT, MAKE_CLIENT, PATCH),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("index", range(len(ADAPTERS)), ids=[adapter.name for adapter in ADAPTERS])
async def test_the_order_of_patch_import_and_client_does_not_matter(order: str, index: int) -> None:
    module = ADAPTERS[index].module
    lines = "; ".join(ORDERS[order]).format(index=index, module=module)
    program = PROGRAM.format(tests=str(TESTS), order=lines, module=module)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        "-c",
        program,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), timeout=60)
    assert err.decode() == ""
    names, states, imported = json.loads(out)
    assert names == [f"{ADAPTERS[index].api.operation} {ADAPTERS[index].api.model}"]
    assert imported is True
    assert "not in this version" not in states


def test_patching_imports_no_client() -> None:
    modules = sorted({adapter.module for adapter in ADAPTERS})
    program = (
        "import sys\n"
        "from sentrial._patch import install\n"
        "from sentrial._providers import PROVIDERS\n"
        "install.install(None, PROVIDERS)\n"
        f"print([name for name in {modules!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
