"""What a function was called with, by the names of its parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter
from typing import Any

from sentrial._json import SECRET

_INSTANCES = frozenset({"self", "cls"})
_SECRETS = frozenset({"token", "auth", "credentials", "dsn", "key"})
"""Parameters that hold a secret where they hold a text. As keys inside of data they are too common to say so."""


class Arguments:
    """The parameters of ``function``, read once.

    A call that does not fit is read as far as it goes: whether it fits is the function's own to say.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        parameters = _parameters_of(function)
        self._positional = [each.name for each in parameters if each.kind in _POSITIONAL]
        self._by_keyword = frozenset(each.name for each in parameters if each.kind in _BY_KEYWORD)
        self._has_keyword_only = any(each.kind is Parameter.KEYWORD_ONLY for each in parameters)
        self._rest = next((each.name for each in parameters if each.kind is Parameter.VAR_POSITIONAL), "args")
        self._other_keywords = next((each.name for each in parameters if each.kind is Parameter.VAR_KEYWORD), None)
        self._names = [each.name for each in parameters if each.kind not in _VARIABLE]
        self._defaults = {each.name: each.default for each in parameters if each.default is not Parameter.empty}
        self._instance = _instance_in(function, self._positional)
        self._secret = frozenset(name for name in self._names if name.lower() in _SECRETS)

    def by_name(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """All arguments, defaults included; what goes into ``*args`` and ``**kwargs`` stands under their names."""
        found = dict(zip(self._positional, args, strict=False))
        if len(args) > len(self._positional):
            found[self._rest] = args[len(self._positional) :]
        if len(args) < len(self._positional) or self._has_keyword_only:
            for name in self._names:
                if name not in found:
                    if name in kwargs and name in self._by_keyword:
                        found[name] = kwargs[name]
                    elif name in self._defaults:
                        found[name] = self._defaults[name]
        if kwargs:
            others = {name: value for name, value in kwargs.items() if name not in self._by_keyword}
            if others and self._other_keywords is not None:
                found[self._other_keywords] = others
            else:
                found.update(others)
        return found

    def given(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as a caller names them: those in ``**kwargs`` beside the others, without the object itself."""
        found = self.by_name(args, kwargs)
        if self._instance is not None:
            found.pop(self._instance, None)
        others = found.pop(self._other_keywords, None) if self._other_keywords is not None else None
        return {**others, **found} if others else found

    def recorded(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as they may be recorded: not the object whose method it is, and no secrets."""
        found = self.by_name(args, kwargs)
        if self._instance is not None:
            found.pop(self._instance, None)
        for name in self._secret:
            if isinstance(found.get(name), str | bytes):
                found[name] = SECRET
        if self._other_keywords is not None and self._other_keywords in found:
            others = found[self._other_keywords]
            found[self._other_keywords] = {name: _masked(name, value) for name, value in others.items()}
        return found

    def find(self, name: str, found: Mapping[str, Any]) -> Any:
        """What :meth:`by_name` found under ``name``, in ``**kwargs`` too; ``None`` where there is nothing."""
        value = found.get(name)
        if value is None and self._other_keywords is not None:
            others = found.get(self._other_keywords)
            value = others.get(name) if isinstance(others, dict) else None
        return value


_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_BY_KEYWORD = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
_VARIABLE = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


def _parameters_of(function: Callable[..., Any]) -> list[Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except Exception:  # noqa: BLE001 - functions written in C need not say, and __signature__ is the user's own code
        return []


def _instance_in(function: Callable[..., Any], positional: Sequence[str]) -> str | None:
    """The first parameter, where by its name it is the object that the method belongs to."""
    if not positional or positional[0] not in _INSTANCES:
        return None
    owner, _, _ = getattr(inspect.unwrap(function), "__qualname__", "").rpartition(".")
    # Nobody calls data "self"; "cls" can be a class of things in a function that belongs to no class.
    in_class = bool(owner) and not owner.endswith("<locals>")
    return positional[0] if in_class or positional[0] == "self" else None


def _masked(name: str, value: Any) -> Any:
    return SECRET if name.lower() in _SECRETS and isinstance(value, str | bytes) else value
