"""``sentrial doctor``."""

from __future__ import annotations

import json
import os
import sys

from sentrial._cli.console import open_console, print_lines, signs_of
from sentrial._cli.doctor_page import build_page
from sentrial._diagnosis.examination import examine


def run_doctor(*, send: bool, timeout: float, as_json: bool) -> bool:
    """Print what the doctor finds; whether all is well."""
    # gRPC writes to the terminal by itself, and says there what the findings say.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    found = examine(send=send, timeout=timeout, own_process=True)
    if as_json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        console = open_console()
        print_lines(console, build_page(found, console.width, signs_of(console)))
    return bool(found["ok"])
