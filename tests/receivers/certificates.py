"""A throw-away certificate authority. Made with the openssl command: it is everywhere, and needs no package."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificates:
    """Files in PEM. The server's certificate is for 127.0.0.1 and localhost; the authority signed both."""

    authority: Path
    server_certificate: Path
    server_key: Path
    client_certificate: Path
    client_key: Path


def make_certificates(folder: Path) -> Certificates:
    """New certificates in ``folder``, valid for two days."""
    authority, authority_key = _make(folder, "authority", ["-addext", "keyUsage=critical,keyCertSign"])
    signed = ["-CA", str(authority), "-CAkey", str(authority_key), "-addext", "basicConstraints=critical,CA:FALSE"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    server, server_key = _make(folder, "server", signed + names)
    client, client_key = _make(folder, "client", signed)
    return Certificates(authority, server, server_key, client, client_key)


def _make(folder: Path, name: str, extra: list[str]) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-days", "2", "-subj", f"/CN=test {name}", "-keyout", str(key), "-out", str(certificate)]
    done = subprocess.run([*command, *files, *extra], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return certificate, key
