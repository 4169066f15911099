"""How a decorated function runs: as the program wrote it, inside an event or a session."""
