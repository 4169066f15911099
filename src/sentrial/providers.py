"""What a description of a client library is made of: for distributions that let theirs be recorded.

They name a :class:`Provider` of their own by an entry point of the group ``sentrial_provider``; nothing else of this
package is needed, and none of it knows theirs.
"""

from __future__ import annotations

from sentrial._patch.spec import Accumulator, Operation, Outgoing, Provider, Role, Shape, StreamUsage, Target, ToolRun
from sentrial.types import Deferred, LlmRequest, LlmResponse, Message, Part, Usage

__all__ = [
    "Accumulator",
    "Deferred",
    "LlmRequest",
    "LlmResponse",
    "Message",
    "Operation",
    "Outgoing",
    "Part",
    "Provider",
    "Role",
    "Shape",
    "StreamUsage",
    "Target",
    "ToolRun",
    "Usage",
]
