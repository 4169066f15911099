"""Content beside the span: prompts, arguments and results, keyed by span identity, merged by our own road only.

The contract, which every writer of spans keeps and every road of ours relies on:

1. The user's thread takes a snapshot (:meth:`Payload.json`, :meth:`Payload.deferred`); nothing is encoded there.
2. The span carries no content. While it ends, its payload lies in :func:`of` under the span's identity, and only
   our own processor looks there: other exporters of the same provider see names, ids, numbers.
3. Our thread masks and encodes (:meth:`Payload.attributes`), each distinct text of a session once.
4. Only where the application asked for content on the span (:data:`policy`), it is masked, encoded and set before
   the span ends, for every exporter to see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from opentelemetry.trace import Span

from sentrial import _guard, semconv
from sentrial._json import JsonWriter, Masker, NoMask, Texts
from sentrial._session import Session
from sentrial._snapshot import Tally, snapshot
from sentrial.types import Deferred

AttributeValue = Any
"""What OpenTelemetry takes as an attribute: a scalar, or a sequence of scalars of one type."""


@dataclass(frozen=True)
class Policy:
    """Where content may go, in this process.

    ``to_us``: to our own destinations, beside the span. ``on_span``: into span attributes, for every exporter.
    ``masker``: what each text passes before it goes anywhere.
    """

    to_us: bool = True
    on_span: bool = False
    masker: Masker = field(default_factory=NoMask)


policy = Policy()
"""The policy in force; :mod:`sentrial._setup` replaces it."""


def set_policy(new: Policy) -> None:
    """Put ``new`` in force for the payloads that are begun from now on."""
    global policy
    policy = new


class _Entry(NamedTuple):
    """A snapshot, how it is written, and what it weighs. ``read``: what makes of it what is written, if anything."""

    value: Any
    write: Callable[[Any, JsonWriter], AttributeValue]
    read: Callable[[Any], Any] | None
    size: int
    elided: int


class Payload:
    """The content of one span, as snapshots. Made and filled on the user's thread, rendered on ours.

    What is given twice under one key counts as given the last time. ``session``: the one that its span belongs to.
    """

    __slots__ = ("_content", "_entries", "_later", "_policy", "_texts", "session")

    def __init__(self, texts: Texts | None = None, session: Session | None = None) -> None:
        self.session = session
        self._entries: dict[str, _Entry] = {}
        self._policy = policy
        self._later: dict[str, Callable[[], AttributeValue | None]] = {}
        self._content: dict[str, AttributeValue] | None = None
        self._texts = texts

    def __bool__(self) -> bool:
        return bool(self._entries or self._later)

    @property
    def on_span(self) -> bool:
        """Whether the application asked for content in span attributes."""
        return self._policy.on_span

    @property
    def size(self) -> int:
        """Its weight in characters, near enough for a queue's bound."""
        return sum([entry.size for entry in self._entries.values()])

    @property
    def captures(self) -> bool:
        """Whether content is wanted at all; where not, writers need not even look for it."""
        return self._policy.to_us or self._policy.on_span

    def text(self, key: str, value: object) -> None:
        """Content that is an attribute of plain text."""
        self._add(key, value, _render_text)

    def json(self, key: str, value: object) -> None:
        """Content that is an attribute of JSON text."""
        self._add(key, value, _render_json)

    def json_object(self, key: str, value: object, name: str) -> None:
        """Content that is an attribute of JSON text and has to be an object: what is none stands under ``name``."""
        self._add(key, value, lambda copy, writer: writer.json(copy if isinstance(copy, dict) else {name: copy}))

    def texts(self, key: str, values: object) -> None:
        """Content that is an attribute of several plain texts; one alone, where ``values`` is no collection."""
        self._add(key, values, _render_texts)

    def deferred(self, key: str, deferred: Deferred[Any], *, definitions: bool = False) -> None:
        """Content that is read from its snapshot later, into something with JSON: messages.

        ``definitions``: it describes what values there can be, and holds none.
        """
        self._add(key, deferred.value, _render_definitions if definitions else _render_read, deferred.read)

    def leave_out(self, *keys: str) -> None:
        """Content that was given before, and is not wanted any more."""
        for key in keys:
            self._entries.pop(key, None)

    def _add(
        self,
        key: str,
        value: Any,
        write: Callable[[Any, JsonWriter], AttributeValue],
        read: Callable[[Any], Any] | None = None,
    ) -> None:
        if self.captures:
            tally = Tally()
            self._entries[key] = _Entry(snapshot(value, tally), write, read, tally.size, tally.elided)

    def later(self, key: str, compute: Callable[[], AttributeValue | None]) -> None:
        """A value that is no content, but costs too much for the user's thread: a price."""
        self._later[key] = compute

    def content(self) -> dict[str, AttributeValue]:
        """The content as attributes, masked and encoded. What cannot be read is left out; cuts are said.

        Rendered once: several destinations share the result.
        """
        if self._content is None:
            self._content = self._render()
        return self._content

    def attributes(self) -> dict[str, AttributeValue]:
        """The content, and the values that were left for later. For threads of ours."""
        attributes = dict(self.content())
        for key, compute in self._later.items():
            try:
                value = compute()
            except Exception as error:  # noqa: BLE001 - one value that cannot be had must not cost the others
                _guard.note(f"computing {key}", error)
                continue
            if value is not None:
                attributes[key] = value
        return attributes

    def _render(self) -> dict[str, AttributeValue]:
        writer = JsonWriter(self._policy.masker, self._texts if self._texts is not None else Texts())
        attributes: dict[str, AttributeValue] = {}
        elided = 0
        for key, entry in self._entries.items():
            try:
                value = entry.value if entry.read is None else entry.read(entry.value)
                attributes[key] = entry.write(value, writer)
            except Exception as error:  # noqa: BLE001 - one unreadable value must not cost the others
                _guard.note(f"rendering {key}", error)
            elided += entry.elided
        if writer.masked:
            attributes[semconv.SENTRIAL_MASKED] = writer.masked
        left_out = []
        if writer.cut:
            left_out.append(f"{writer.cut} characters")
        if writer.cut_bytes:
            left_out.append(f"{writer.cut_bytes} bytes")
        if elided:
            left_out.append(f"values in {elided} places")
        if left_out:
            attributes[semconv.SENTRIAL_TRUNCATED] = f"left out: {', '.join(left_out)}"
        return attributes


def _plain(read: Any) -> Any:
    if isinstance(read, list | tuple):
        return [item.to_json() if hasattr(item, "to_json") else item for item in read]
    return read


def _render_text(value: Any, writer: JsonWriter) -> AttributeValue:
    return writer.text(value)


def _render_texts(value: Any, writer: JsonWriter) -> AttributeValue:
    return [writer.text(item) for item in (value if isinstance(value, list) else [value])]


def _render_json(value: Any, writer: JsonWriter) -> AttributeValue:
    return writer.json(value)


def _render_read(value: Any, writer: JsonWriter) -> AttributeValue:
    return writer.json(_plain(value))


def _render_definitions(value: Any, writer: JsonWriter) -> AttributeValue:
    return writer.definitions(_plain(value))


_ending: dict[tuple[int, int], Payload] = {}


def of(trace_id: int, span_id: int) -> Payload | None:
    """The payload of a span that is just ending, for processors of ours; ``None`` where it has none."""
    return _ending.get((trace_id, span_id))


def end_span(span: Span, payload: Payload, end_time: int | None = None) -> None:
    """End ``span``, and let its content go where the policy says.

    ``end_time``: nanoseconds since the epoch; now, if not given.
    """
    if not payload:
        span.end(end_time)
        return
    if payload.on_span and span.is_recording():
        try:
            span.set_attributes(payload.content())
        except Exception as error:  # noqa: BLE001 - the span has to end, whatever its content is
            _guard.failed("writing content on a span", error)
    context = span.get_span_context()
    identity = (context.trace_id, context.span_id)
    _ending[identity] = payload
    try:
        # Processors run inside end(); nothing is left behind, whoever listens or not.
        span.end(end_time)
    finally:
        _ending.pop(identity, None)
