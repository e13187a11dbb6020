"""The databases of the commands that open one."""

from tests.databases import postgres, store

__all__ = ["postgres", "store"]
