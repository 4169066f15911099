"""The ``sentrial`` command."""

from sentrial._cli.__main__ import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
