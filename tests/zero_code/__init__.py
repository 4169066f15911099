"""Programs that know nothing of us, started as people start them: by a command, with environment variables alone."""

from zero_code.command import BIN, DISTRO, PROGRAMS, Outcome, run, variables
from zero_code.service import Service

__all__ = ["BIN", "DISTRO", "PROGRAMS", "Outcome", "Service", "run", "variables"]
