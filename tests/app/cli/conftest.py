"""The databases of the commands that open one."""

from tests.databases import store

__all__ = ["store"]
