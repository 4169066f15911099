"""The composition root: from a configuration to a pipeline, a provider and patched clients; and back, on shutdown.

Nothing happens on import. ``configure()``, a ``SentrialClient`` or the first session sets up; the provider is chosen
when the first span is wanted, so that an application that sets its own while it starts up finds the place free.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path

from opentelemetry.trace import NoOpTracerProvider, TracerProvider

from sentrial import _config, _guard, _payload, _registry
from sentrial._config import CAPTURE_OFF, CAPTURE_SPAN, Config
from sentrial._export import provider as providers
from sentrial._export.collector import collector
from sentrial._export.local import LocalDestination
from sentrial._export.pipeline import Makers, Pipeline
from sentrial._export.redact import SecretMasker
from sentrial._export.sentrial_api import sentrial
from sentrial._patch import abandoned, install
from sentrial._providers import PROVIDERS
from sentrial._session import Account
from sentrial._spans import root, source
from sentrial._store.location import VARIABLE, store_path

logger = logging.getLogger("sentrial")

_lock = threading.RLock()
_is_set_up = False
_joined: weakref.WeakSet[TracerProvider] = weakref.WeakSet()
_built: TracerProvider | None = None


def _end_all_open() -> None:
    for session in _registry.open_sessions():
        root.end_forgotten(session)


def _store_file(config: Config) -> Path:
    # Settings made in code come before the environment, here as everywhere.
    return store_path({**os.environ, VARIABLE: config.store or ""})


_pipeline = Pipeline(
    Makers(
        sentrial=lambda account: sentrial(account.api_url, account.api_key),
        collector=lambda config: collector(config.otlp_endpoint),
        store=lambda config: LocalDestination(_store_file(config)),
        store_place=lambda config: str(_store_file(config)),
    ),
    before_shutdown=_end_all_open,
)


def set_up(arguments: Mapping[str, object], *, strict: bool = False) -> Config:
    """Put a configuration in force: ``arguments``, else the environment, else defaults. May be called again.

    Raises:
        ValueError: with ``strict``, for an argument that makes no sense.
    """
    config = _config.read_config(arguments, strict=strict)
    with _lock:
        _put_in_force(config)
    return config


def ensure() -> Config:
    """Set up from the environment, if nobody has set up yet."""
    if not _is_set_up:
        with _lock:
            if not _is_set_up:
                _put_in_force(_config.read_config({}))
    return _config.active


def account_of(config: Config) -> Account | None:
    """The account that ``config`` names, ready to take sessions; ``None`` where it has no key."""
    if config.api_key is None or not config.enabled:
        return None
    account = Account(config.api_url, config.api_key)
    add_account(account)
    return account


def add_account(account: Account) -> None:
    """Let sessions go to ``account``."""
    _pipeline.add_account(account)


def settle() -> None:
    """End the spans of streams that the program has let go of: they belong to the session that is about to end."""
    abandoned.settle()


def flush(timeout: float) -> bool:
    """Wait until everything that has ended so far is delivered or refused for good, ``timeout`` seconds at most."""
    settle()
    return _pipeline.flush(timeout)


def stats() -> dict[str, dict[str, int]]:
    """Spans by destination: ``stored``, and what was lost by reason."""
    return _pipeline.stats()


def shut_down(timeout: float | None = None) -> None:
    """End what is open, deliver within ``timeout`` seconds, and take everything back: patches, threads, settings."""
    global _is_set_up
    with _lock:
        if not _is_set_up:
            return
        _end_all_open()
        install.uninstall()
        _pipeline.stop(_config.active.flush_timeout if timeout is None else timeout)
        _is_set_up = False
        source.resolve_with(_provider_for_spans)
        _guard.forget()


def _put_in_force(config: Config) -> None:
    global _is_set_up
    first = not _is_set_up
    _config.set_active(config)
    masker = SecretMasker(config.mask)
    _payload.set_policy(
        _payload.Policy(
            to_us=config.enabled and config.capture_content != CAPTURE_OFF,
            on_span=config.enabled and config.capture_content == CAPTURE_SPAN,
            masker=masker,
        )
    )
    source.resolve_with(_provider_for_spans)
    if config.enabled:
        _pipeline.start(config, masker)
        account_of(config)
        install.install(config.instrument, PROVIDERS)
    else:
        install.uninstall()
    _is_set_up = True
    if first:
        _run_at_exit()


def _run_at_exit() -> None:
    """Registered last, run first: before a provider's own handler, which would find the sessions still open."""
    # And before the handler of all finalizers, which closes pools of connections and is registered by the first one.
    weakref.finalize(_pipeline, _pipeline.stats).detach()
    atexit.unregister(shut_down)
    atexit.register(shut_down)
    _finish_with_worker()


def _provider_for_spans() -> TracerProvider:
    """The provider that our spans go through: asked for by the first span, and by the first after a change."""
    config = ensure()
    if not config.enabled:
        return NoOpTracerProvider()
    with _lock:
        found = providers.find_provider()
        if found is None or found is _built:
            return _our_provider(config, private=not config.set_global)
        if found in _joined:
            return found
        if providers.join(found, _pipeline):
            _joined.add(found)
            _run_at_exit()
            if config.sample_rate is not None:
                logger.info(
                    "sentrial: SENTRIAL_SAMPLE_RATE is not used: the sampler of your own TracerProvider decides."
                )
            return found
        _guard.say_once(
            "foreign provider",
            "sentrial: the global TracerProvider (%s.%s) takes no span processors; sessions go through a private one.",
            type(found).__module__,
            type(found).__qualname__,
        )
        return _our_provider(config, private=True)


def _our_provider(config: Config, *, private: bool) -> TracerProvider:
    global _built
    if _built is None:
        _built = providers.build_provider(_pipeline)
    if not private and providers.find_provider() is None and not providers.make_global(_built):
        # The application was faster, just now.
        return _provider_for_spans()
    return _built


def _finish_with_worker() -> None:
    """Shut down with a worker of ``multiprocessing``, which ends without the handlers of ``atexit``."""
    process = sys.modules.get("multiprocessing.process")
    util = sys.modules.get("multiprocessing.util")
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(None, shut_down, exitpriority=100)


def _before_fork() -> None:
    _pipeline.before_fork()
    # A worker drops the finalizers of its parent, and then calls whom the parent has registered here.
    global _told_multiprocessing
    util = sys.modules.get("multiprocessing.util")
    if util is not None and not _told_multiprocessing:
        _told_multiprocessing = True
        util.register_after_fork(_pipeline, lambda _pipeline: _finish_with_worker())


def _after_fork() -> None:
    """In a forked child: our locks may be held by threads that do not exist here, and our queues are the parent's."""
    global _lock
    _lock = threading.RLock()
    _registry.after_fork()
    _pipeline.after_fork()


_told_multiprocessing = False
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
