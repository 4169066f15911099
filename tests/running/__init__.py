"""Programs of their own, for what a test's process cannot show (its end, a fork), and what arrived of them."""

from running.arrived import Span, arrived, by_name, id_of, is_current, links_of, session_of
from running.meanwhile import Meanwhile
from running.program import Finished, run_program, running_program

__all__ = [
    "Finished",
    "Meanwhile",
    "Span",
    "arrived",
    "by_name",
    "id_of",
    "is_current",
    "links_of",
    "run_program",
    "running_program",
    "session_of",
]
