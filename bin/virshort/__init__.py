"""The library behind virshort's steps: pure functions on arrays, one idea a module."""

__version__ = "0.1.0"
