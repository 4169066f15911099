"""The composition root: from a configuration to a pipeline, a provider and patched clients; and back, on shutdown.

Nothing happens on import. ``configure()``, a ``SentrialClient`` or the first session sets up; the provider is chosen
when the first span is wanted, so that an application that sets its own while it starts up finds the place free.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from opentelemetry.trace import NoOpTracerProvider, TracerProvider

from sentrial import _config, _guard, _open_sessions, _payload, _process_end, _registry, _runtime, _switching
from sentrial._config import Config
from sentrial._export import provider as providers
from sentrial._export.ai_rules import AiRules
from sentrial._export.collector import collector
from sentrial._export.delivery_metrics import DeliveryMetrics
from sentrial._export.door import Door, Outside
from sentrial._export.local import LocalDestination
from sentrial._export.pii import build_pii_masker
from sentrial._export.pipeline import Makers, Pipeline
from sentrial._export.redact import SecretMasker
from sentrial._export.sentrial_api import sentrial
from sentrial._known_clients import known_clients
from sentrial._library_versions import say_too_old
from sentrial._patch import carry, install, propagator
from sentrial._patch.spec import Provider
from sentrial._session import Account
from sentrial._setting_values import CAPTURE_OFF, CAPTURE_SPAN
from sentrial._spans import aside, metrics, source
from sentrial._store.bounds import Bounds
from sentrial._store.location import VARIABLE, store_path

logger = logging.getLogger("sentrial")

_lock = threading.RLock()
_is_set_up = False
_is_patching = False
_joined: weakref.WeakSet[TracerProvider] = weakref.WeakSet()
_doors: weakref.WeakKeyDictionary[TracerProvider, Outside] = weakref.WeakKeyDictionary()
_built: TracerProvider | None = None
_used: TracerProvider | None = None


def _store_file(config: Config) -> Path:
    # Settings made in code come before the environment, here as everywhere.
    return store_path({**os.environ, VARIABLE: config.store or ""})


makers = Makers(
    sentrial=lambda account: sentrial(account.api_url, account.api_key),
    collector=lambda config: collector(config.otlp_endpoint),
    store=lambda config: LocalDestination(
        _store_file(config), bounds=Bounds(config.store_max_size, config.store_max_age, config.session_timeout)
    ),
    store_place=lambda config: str(_store_file(config)),
)
_pipeline = Pipeline(makers, before_shutdown=_open_sessions.end_all)
_metrics = DeliveryMetrics(_pipeline.stats)


def set_up(arguments: Mapping[str, object], *, strict: bool = False) -> Config:
    """Put a configuration in force: ``arguments``, else the environment, else defaults. May be called again.

    Raises:
        ValueError: with ``strict``, for an argument that makes no sense.
    """
    config = _config.read_config(arguments, strict=strict)
    with _lock:
        _put_in_force(config)
    return config


def ensure(*, patch: bool = True) -> Config:
    """Set up from the environment, if nobody has set up yet. ``patch``: whether to patch what is to be patched, too."""
    if not _is_set_up or (patch and not _is_patching):
        with _lock:
            if not _is_set_up:
                _put_in_force(_config.read_config({}), patch=patch)
            elif patch and not _is_patching:
                _patch(_config.active)
    return _config.active


def amend(arguments: Mapping[str, object], *, strict: bool = False) -> Config:
    """Put in force what ``arguments`` switch on, and leave everything else as it is.

    Raises:
        ValueError: with ``strict``, for an argument that makes no sense.
    """
    read = _config.read_config(arguments, strict=strict)
    with _lock:
        wanted = {name: value for name in arguments if (value := getattr(read, name)) is not None}
        before = ensure()
        kept = {name: source for name, source in before.sources.items() if name not in wanted}
        sources = {**kept, **{name: source for name, source in read.sources.items() if name in wanted}}
        _put_in_force(replace(before, **wanted, sources=sources))
    return _config.active


def is_set_up() -> bool:
    """Whether a configuration is in force."""
    return _is_set_up


def accounts() -> tuple[Account, ...]:
    """Whose sessions this process sends to Sentrial."""
    return _pipeline.accounts


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


def outside_sessions(rules: AiRules) -> Outside:
    """What a span processor of anybody's lets in by ``rules``.

    It patches nothing: who adds one has instrumentations already, and two would record each call twice.
    """
    ensure(patch=False)
    return Outside(_pipeline, rules)


def open_global_door(rules: AiRules) -> None:
    """Let in what the global provider makes outside sessions; ours becomes it where there is none.

    A provider has one such door: called again, ``rules`` replace those of before.
    """
    outside = outside_sessions(rules)
    config = _config.active
    if not config.enabled:
        return
    with _lock:
        provider = providers.find_provider() or _our_provider(config, private=False)
        inner = providers.sdk_provider(provider)
        if inner is not None and inner in _doors:
            _doors[inner].open_again(rules)
        elif inner is not None and providers.add_processor(inner, Door(outside)):
            _doors[inner] = outside
            _process_end.call_at_end(shut_down)
        else:
            _guard.say_once(
                "foreign provider has no door",
                "sentrial: the global TracerProvider (%s.%s) takes no span processors, so that its spans cannot go to "
                "Sentrial. Set a TracerProvider of opentelemetry.sdk.trace before setup_otel_tracing().",
                type(provider).__module__,
                type(provider).__qualname__,
            )


def instrument(client: object, provider: Provider) -> None:
    """Record the calls of ``client``, one of ``provider``'s, whatever ``instrument=`` leaves out."""
    config = ensure(patch=False)
    with _lock:
        install.choose(client, provider)
        if config.enabled:
            install.install_chosen([provider])
            say_too_old([provider.name])


def use_provider(provider: TracerProvider) -> None:
    """Let all spans of ours go through ``provider``, whatever the global one is: sessions and calls belong together."""
    global _used
    if _used is not None and _used is not provider:
        _guard.say_once(
            "second tracer_provider",
            "sentrial: all spans of ours go through one TracerProvider: the first that was given as tracer_provider= "
            "stays until sentrial.shutdown(), and another one is not used.",
        )
        return
    _used = provider
    source.forget()


def used_provider() -> TracerProvider | None:
    """The provider that :func:`use_provider` was told of."""
    return _used


@_guard.guarded("ending what was let go of", bool)
def settle(timeout: float = aside.PATIENCE) -> bool:
    """End the spans of what the program has let go of: they belong to the session that is about to end."""
    return aside.settle(timeout)


def flush(timeout: float) -> bool:
    """Wait until everything that has ended so far is delivered or refused for good, ``timeout`` seconds at most."""
    deadline = time.monotonic() + timeout
    settled = settle(timeout)
    return _pipeline.flush(max(0.0, deadline - time.monotonic())) and settled


def stats() -> dict[str, dict[str, int]]:
    """Spans by destination: ``stored``, and what was lost by reason."""
    return _pipeline.stats()


def shut_down(timeout: float | None = None) -> None:
    """End what is open, deliver within ``timeout`` seconds, and take everything back: patches, threads, settings."""
    global _is_set_up, _is_patching, _used
    with _lock:
        _used = None
        metrics.use_provider(None)
        if not _is_set_up:
            # What is recorded without a configuration ends too.
            _unpatch()
            source.forget()
            return
        _open_sessions.end_all()
        _open_sessions.stop()
        _unpatch()
        _pipeline.stop(_config.active.flush_timeout if timeout is None else timeout)
        for outside in _doors.values():
            outside.close()
        install.forget_chosen()
        _runtime.join()
        _is_set_up = _is_patching = False
        source.resolve_with(_provider_for_spans)
        _guard.forget()


@_guard.guarded("taking the patches back", _guard.nothing)
def _unpatch() -> None:
    _switching.all_off()
    carry.uninstall()
    propagator.uninstall()


def _put_in_force(config: Config, *, patch: bool = True) -> None:
    global _is_set_up
    first = not _is_set_up
    _config.set_active(config)
    masker = SecretMasker(config.mask, build_pii_masker(config.pii, config.pii_key))
    _payload.set_policy(
        _payload.Policy(
            to_us=config.enabled and config.capture_content != CAPTURE_OFF,
            on_span=config.enabled and config.capture_content == CAPTURE_SPAN,
            masker=masker,
        )
    )
    source.resolve_with(_provider_for_spans)
    if config.enabled:
        if not _pipeline.running:
            _metrics.begin()
        _pipeline.start(config, masker)
        account_of(config)
        install.install_chosen(known_clients())
    if patch or _is_patching:
        _patch(config)
    _is_set_up = True
    if first:
        _process_end.call_at_end(shut_down)
    _open_sessions.watch(config, _pipeline, lambda: account_of(_config.active))


def _patch(config: Config) -> None:
    global _is_patching
    _is_patching = True
    _switching.follow(config)
    _patch_threads(config)
    propagator.install(config)


@_guard.guarded("carrying contexts", _guard.nothing)
def _patch_threads(config: Config) -> None:
    if config.enabled and config.carry_context:
        carry.install()
    else:
        carry.uninstall()


def _provider_for_spans() -> TracerProvider:
    """The provider that our spans go through: asked for by the first span, and by the first after a change."""
    config = ensure(patch=False)
    if not config.enabled:
        return NoOpTracerProvider()
    with _lock:
        found = _used or providers.find_provider()
        if not _runtime.keeps_values():
            _runtime.keep_apart()
        if found is None or found is _built:
            return _our_provider(config, private=not config.set_global)
        inner = providers.sdk_provider(found)
        if inner is not None and inner in _joined:
            return found
        if inner is not None and providers.join(inner, _pipeline):
            _joined.add(inner)
            _process_end.call_at_end(shut_down)
            if config.sample_rate is not None:
                logger.info(
                    "sentrial: SENTRIAL_SAMPLE_RATE is not used: the sampler of your own TracerProvider decides."
                )
            return found
        _guard.say_once(
            "foreign provider",
            "sentrial: the %s (%s.%s) takes no span processors; sessions go through a private one.",
            "TracerProvider given as tracer_provider=" if found is _used else "global TracerProvider",
            type(found).__module__,
            type(found).__qualname__,
        )
        _runtime.keep_apart()
        return _our_provider(config, private=True)


def _our_provider(config: Config, *, private: bool) -> TracerProvider:
    global _built
    if _built is None:
        _built = providers.build_provider(_pipeline)
    if not private and providers.find_provider() is None and not providers.make_global(_built):
        # The application was faster, just now.
        return _provider_for_spans()
    return _built


def _after_fork() -> None:
    """In a forked child: our locks may be held by threads that do not exist here, and our queues are the parent's."""
    global _lock
    _lock = threading.RLock()
    _registry.after_fork()
    _metrics.forget()
    _pipeline.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_process_end.before_fork, after_in_child=_after_fork)
