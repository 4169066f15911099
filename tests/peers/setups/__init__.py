"""How each peer is set up, as its own documentation says; one module each, run in an environment of its own."""
