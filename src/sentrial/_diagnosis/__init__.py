"""What the doctor looks at: how things stand in this process, as plain data. It changes nothing."""

DEFAULT_TIMEOUT = 15.0
"""Seconds: a little longer than our senders wait for an answer, so that theirs are the words."""
