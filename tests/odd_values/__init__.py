"""Values that no caller should give, and some do: what a program holds by accident, and what raises when touched."""

from odd_values.values import ODD, BadWordsError, Order, Raising, Receipt, make

__all__ = ["ODD", "BadWordsError", "Order", "Raising", "Receipt", "make"]
