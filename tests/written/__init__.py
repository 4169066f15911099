"""What the span writers wrote, on a real SDK provider: as our own road sees it, and as anybody's exporter does."""

from written.recorded import Recorded
from written.writing import Writing

__all__ = ["Recorded", "Writing"]
