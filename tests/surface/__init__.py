"""Which calls a client can make, and which of them are recorded: lists that are held against the client's own code."""

from surface.listed import Listed, read_list
from surface.stainless import connections_of, posts_of

__all__ = ["Listed", "connections_of", "posts_of", "read_list"]
