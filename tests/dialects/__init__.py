"""AI spans of other instrumentations, and an application that has them."""

from dialects.application import AI, delivered, provider_with, write_ladder
from dialects.dialect import DIALECTS, Dialect

__all__ = ["AI", "DIALECTS", "Dialect", "delivered", "provider_with", "write_ladder"]
