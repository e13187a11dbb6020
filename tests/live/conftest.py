"""The databases of these tests."""

from tests.databases import store

__all__ = ["store"]
