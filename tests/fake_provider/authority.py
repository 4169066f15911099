"""One authority to trust instead of all: a client reads them when it is made, which takes as long as a whole test."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import certifi

_VARIABLE = "SSL_CERT_FILE"
_END = "-----END CERTIFICATE-----\n"


@contextmanager
def one_authority() -> Iterator[None]:
    """Clients that are made meanwhile trust one authority. They speak to a server without TLS."""
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = _file().name
    try:
        yield
    finally:
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before


@functools.cache
def _file() -> IO[str]:
    first, _, _ = Path(certifi.where()).read_text(encoding="utf-8").partition(_END)
    file = tempfile.NamedTemporaryFile("w", suffix=".pem")  # noqa: SIM115 - open, and there, as long as the process
    file.write(first + _END)
    file.flush()
    return file
