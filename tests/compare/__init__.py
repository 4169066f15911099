"""The same programs with each instrumentation of the model clients: who tells each call once, who breaks what."""
