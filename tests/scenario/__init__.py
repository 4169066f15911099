"""What scenarios share: what a client's calls export, held against a checked-in list and against the conventions."""

from scenario.outline import in_order, outline_of
from scenario.recording import Recording, attributes_expected, violations_in

__all__ = ["Recording", "attributes_expected", "in_order", "outline_of", "violations_in"]
