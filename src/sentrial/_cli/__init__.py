"""What the ``sentrial`` command shows in a terminal. Needs click and rich, which the extra ``cli`` brings."""
