"""The real OpenTelemetry Collector with the files of collector-config/, and sessions to send through it."""

from real_collector.binary import CONFIGS, FOLDER, BinaryMissingError, collector_binary
from real_collector.collector import Collector, StartCollector
from real_collector.far_end import KEY, SentrialBehindCollector, by_session, span_keys, spans_in_file
from real_collector.sessions import NAMES, support_session

__all__ = [
    "CONFIGS",
    "FOLDER",
    "KEY",
    "NAMES",
    "BinaryMissingError",
    "Collector",
    "SentrialBehindCollector",
    "StartCollector",
    "by_session",
    "collector_binary",
    "span_keys",
    "spans_in_file",
    "support_session",
]
