"""Faults of our own, put into one function of ours after another, and a program that must not notice."""

from faults.injection import Piece, broken, pieces_of
from faults.scenario import Player

__all__ = ["Piece", "Player", "broken", "pieces_of"]
