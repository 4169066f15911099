"""What scenarios share: what a client's calls export, held against a checked-in list and against the conventions."""

from scenario.outline import outline_of
from scenario.recording import Recording, attributes_expected

__all__ = ["Recording", "attributes_expected", "outline_of"]
