"""Forks: a copy of a process that has run already hangs in Polars, whose threads it has not.

A run in such a copy is refused at once, with what to do instead.
"""

from __future__ import annotations

import os

from intrabar.errors import RunError


class _Seen:
    """Whether this process has run anything, and whether it is a copy of one that had."""

    has_run = False
    is_copy = False


def _after_fork() -> None:
    _Seen.is_copy = _Seen.has_run


if hasattr(os, "register_at_fork"):  # Windows has no forks
    os.register_at_fork(after_in_child=_after_fork)


def require_threads() -> None:
    """Refuse to run in a process that was forked from one that had run.

    Raises
    ------
    RunError
        It says how to start processes instead.
    """
    if _Seen.is_copy:
        raise RunError(
            "this process is a fork of one that had run a backtest already, and would hang; start "
            "processes anew, ProcessPoolExecutor(mp_context=multiprocessing.get_context('spawn')), "
            "or let intrabar.sweep do it"
        )
    _Seen.has_run = True
