"""The version of the distribution, in one place: read by the build and stamped on every span's scope."""

__version__ = "0.1.0"
