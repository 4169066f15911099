"""What can go wrong with the local store. Apart from SQLite, so that knowing of it costs no import of that."""

from __future__ import annotations


class StoreError(Exception):
    """A failure of the local store; the message names the file."""


class StoreBusyError(StoreError):
    """Another process holds the file: the same call may pass a moment later."""


class StoreUnusableError(StoreError):
    """The file cannot be used until somebody does what the message says."""


class StoreEmptyError(StoreUnusableError):
    """The file is about to become a store, or never will: nothing has been recorded there."""
