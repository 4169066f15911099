"""What runs before click and rich are there.

It stands here, and not in ``sentrial.cli``, which the older distribution overwrites: ``python -m sentrial._cli doctor``
has to run then too.
"""

from __future__ import annotations

import os
import sys

_NEEDED = ("click", "rich")


def main() -> None:
    """Run the command with the arguments of the process, and exit."""
    if sys.argv[1:2] == ["run"]:
        from sentrial._cli.run import run

        run(sys.argv[2:])
    try:
        from sentrial._cli.commands import sentrial
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in _NEEDED:
            raise
        sys.stderr.write(f'the sentrial command needs {" and ".join(_NEEDED)}: pip install "sentrial-otel[cli]"\n')
        sys.exit(2)
    try:
        sentrial(prog_name="sentrial")
    except BrokenPipeError:
        # `sentrial ... | head`: nobody reads on. Python would complain once more while it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
