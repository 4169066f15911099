"""What holds where others have patched before us, and put back what they found while we are there."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters import RESPONSE_ADAPTERS, RETRYING_ADAPTERS, Adapter
from fake_provider import FakeProvider
from recorder import Recorder
from sentrial._patch import install
from sentrial._providers import PROVIDERS


def place_of(client: Adapter) -> tuple[type, str, Any]:
    """The class that has the method that is patched, its name, and what stands there."""
    module, cls, name = type(client).patched
    owner = getattr(importlib.import_module(module), cls)
    return owner, name, vars(owner)[name]


async def call(client: Adapter, times: int) -> None:
    """As often, answered as without us."""
    for _ in range(times):
        assert client.api.text_of(await client.create()) == client.api.text


@pytest.fixture(params=RETRYING_ADAPTERS, ids=lambda adapter: adapter.name)
async def unpatched(request: pytest.FixtureRequest, server: FakeProvider) -> AsyncIterator[Adapter]:
    """A client that tells of its attempts, not patched yet, and as it was afterwards."""
    adapter: Adapter = request.param(server.url)
    owner, name, found = place_of(adapter)
    yield adapter
    install.uninstall()
    setattr(owner, name, found)
    await adapter.aclose()


@pytest.fixture(params=RESPONSE_ADAPTERS, ids=lambda adapter: adapter.name)
async def inherits(request: pytest.FixtureRequest, server: FakeProvider) -> AsyncIterator[Adapter]:
    """The same of those that inherit the method that is patched."""
    adapter: Adapter = request.param(server.url)
    yield adapter
    install.uninstall()
    delattr(type(adapter.client), place_of(adapter)[1])
    await adapter.aclose()


async def test_the_first_call_after_it_is_lost_and_no_other(
    unpatched: Adapter, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    owner, name, found = place_of(unpatched)
    for loss in (1, 2):
        install.install(None, PROVIDERS)
        await call(unpatched, 1)
        setattr(owner, name, found)
        await call(unpatched, 3)
        assert len(recorder.spans) == 3 * loss
    (warning,) = (record.getMessage() for record in caplog.records if record.name == "sentrial")
    assert warning.endswith("They are patched again. Calls between the two are not recorded.")
    install.uninstall()
    assert vars(owner)[name] is found


async def test_a_wrapper_of_theirs_that_knows_nothing_of_ours_gets_ours_around_it(
    unpatched: Adapter, recorder: Recorder
) -> None:
    owner, name, found = place_of(unpatched)
    theirs: list[Any] = []

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        theirs.append(args[0])
        return found(*args, **kwargs)

    install.install(None, PROVIDERS)
    setattr(owner, name, wrapper)
    await call(unpatched, 3)
    assert (len(theirs), len(recorder.spans)) == (3, 2)
    install.uninstall()
    assert vars(owner)[name] is wrapper


async def test_switched_off_nothing_is_patched_again(unpatched: Adapter, recorder: Recorder) -> None:
    owner, name, found = place_of(unpatched)
    install.install(None, PROVIDERS)
    setattr(owner, name, found)
    install.uninstall()
    await call(unpatched, 2)
    assert recorder.spans == []
    assert vars(owner)[name] is found


@pytest.mark.parametrize(("before_us", "recorded"), [(True, 3), (False, 2)])
async def test_what_they_leave_in_the_class_of_the_client_is_patched_too(
    inherits: Adapter, recorder: Recorder, before_us: bool, recorded: int
) -> None:
    subclass = type(inherits.client)
    _, name, found = place_of(inherits)
    if before_us:
        setattr(subclass, name, found)
    install.install(None, PROVIDERS)
    if not before_us:
        setattr(subclass, name, found)
    await call(inherits, 3)
    assert len(recorder.spans) == recorded
    install.uninstall()
    assert vars(subclass)[name] is found


async def test_what_they_leave_of_ours_goes_with_ours(inherits: Adapter, recorder: Recorder) -> None:
    _, name, found = place_of(inherits)
    install.install(None, PROVIDERS)
    setattr(type(inherits.client), name, place_of(inherits)[2])
    await call(inherits, 1)
    assert len(recorder.spans) == 1
    install.uninstall()
    assert vars(type(inherits.client))[name] is found
