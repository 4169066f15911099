"""Python runs this before the program, where ``sentrial run`` has put this folder on the path.

The variable stays, so that programs which this one starts are seen, too; the folder itself goes, and a
``sitecustomize`` that the machine has of its own comes to its right.
"""

import importlib
import os
import sys


def _path_without_us() -> list[str]:
    here = os.path.dirname(os.path.abspath(__file__))
    return [place for place in sys.path if os.path.abspath(place or os.curdir) != here]


def _run_the_other_one() -> None:
    ours = sys.modules.pop(__name__, None)
    try:
        importlib.import_module(__name__)
    except ModuleNotFoundError as missing:
        if missing.name != __name__:
            raise
    finally:
        if ours is not None:
            # Whoever imports this one wants to find it under its name.
            sys.modules.setdefault(__name__, ours)


def _start() -> None:
    try:
        from sentrial import _zero_code
    except ImportError:
        return  # a Python that this package is not installed for, started by a program that it is
    _zero_code.start_run()


sys.path[:] = _path_without_us()
try:
    _run_the_other_one()
finally:
    _start()
