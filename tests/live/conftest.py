"""The databases of these tests."""

from tests.databases import postgres, store

__all__ = ["postgres", "store"]
