"""How a call runs: patched in place, known by description only."""
