"""The old package, PyPI's `sentrial` 0.6.0: its public names, what each does here, and the page that says so.

`surface.txt` is the list, made by `read_surface.py`; `rows_of_*.py` have a row for each name; `deviations.py` has each
signature that differs, with the reason; `migration_page.py` makes `docs/moving-over.md` of them. `program.py` is a
program as users of the old package wrote it.
"""

from old_sdk.compare import differences, names_in, old_names
from old_sdk.deviations import listed
from old_sdk.migration_page import SECTIONS, migration_page
from old_sdk.rows import HERE, MOVED, rows_for
from old_sdk.rows_of_langchain import LANGCHAIN

__all__ = [
    "HERE",
    "LANGCHAIN",
    "MOVED",
    "SECTIONS",
    "differences",
    "listed",
    "migration_page",
    "names_in",
    "old_names",
    "rows_for",
]
