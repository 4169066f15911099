"""The local store: sessions and their spans in one SQLite file, for people without an account or a server.

``write`` is called by one thread of each process, ``read`` by the command line. Knows no OpenTelemetry type.
"""
