"""Spans as a protobuf ``ExportTraceServiceRequest``, by the stock encoder.

The stock encoder loses data where it meets what protobuf cannot carry: an attribute with a lone surrogate, an integer
beyond 64 bits or a null inside a list is dropped with a traceback in the log, a span's name or status with a lone
surrogate costs the whole batch. So what it cannot carry is replaced before it sees it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sentrial import _guard, _late_imports
from sentrial._export.cleaned_span import cleaned

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan


def encode_proto(spans: Sequence[ReadableSpan]) -> bytes:
    """The request body for ``spans``, grouped by resource and scope.

    A span that cannot be encoded is left out, with one warning for the batch; the others are encoded all the same.
    """
    with _late_imports.undisturbed():
        # Inside the function: protobuf takes 50 ms and 10 MB to import.
        from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    try:
        return bytes(encode_spans([cleaned(span) for span in spans]).SerializeToString())
    except Exception:  # noqa: BLE001 - which span it was, and why, comes out below
        return _encode_one_by_one(spans)


def _encode_one_by_one(spans: Sequence[ReadableSpan]) -> bytes:
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    sound: list[ReadableSpan] = []
    left_out: list[str] = []
    for span in spans:
        try:
            ready = cleaned(span)
            encode_spans([ready]).SerializeToString()
            sound.append(ready)
        except Exception as error:  # noqa: BLE001 - one odd span must not cost the batch
            left_out.append(f"{span.name!r}: {type(error).__name__}: {error}")
    if left_out:
        _guard.say_once(
            "not encodable as protobuf",
            "sentrial: %d of %d spans cannot be encoded and are left out: %s. More of this kind is not logged.",
            len(left_out),
            len(spans),
            left_out[0],
        )
    return bytes(encode_spans(sound).SerializeToString())
