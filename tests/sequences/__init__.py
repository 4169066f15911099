"""Programs that nobody would write: any calls of the SDK in any order, by several tasks and threads that take turns."""

from sequences.actors import Actor, play
from sequences.checks import check
from sequences.steps import STEPS, Step
from sequences.world import Seen, World

__all__ = ["STEPS", "Actor", "Seen", "Step", "World", "check", "play"]
