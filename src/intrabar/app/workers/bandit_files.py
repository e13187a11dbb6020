"""The files of bandits of a session: written behind its journal, by one process alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from intrabar.engine.session.plan import Plan
from intrabar.engine.session.session import Session
from intrabar.engine.tables.lessons import learned_exits
from intrabar.engine.tables.states import home_of
from intrabar.exits.bandit_file import write_state
from intrabar.exits.state_lock import held_state
from intrabar.model.entry import Entry


class BanditFiles:
    """Writes what a bandit knows whenever it has learned, after the commit of what taught it.

    Parameters
    ----------
    files : mapping of (strategy, symbol) to Path
    """

    def __init__(self, files: dict[tuple[str, str], Path]) -> None:
        self._files = files
        self._written: dict[tuple[str, str], Any] = {}

    def take(self, entries: Sequence[Entry], session: Session) -> None:
        """Write the states that are others than those that were written last.

        Raises
        ------
        RunError
            One cannot be written; it is tried again behind the next commit.
        """
        if not self._files:
            return
        for key, state in session.bandits.items():
            told = state.n, state.learned_until, state.slot
            if key in self._files and self._written.get(key) != told:
                write_state(state, self._files[key])
                self._written[key] = told


@contextmanager
def bandit_files(plan: Plan) -> Iterator[BanditFiles]:
    """The files that the `state` of exits name, held as their one writer.

    Raises
    ------
    RunError
        Another process holds one of them, or a folder cannot be written to.
    """
    symbols = plan.symbols
    files = {
        (name, symbol): home_of(Path(given), name, symbol, len(symbols), name in plan.shadowed)
        for name, exit_ in learned_exits(plan.given).items()
        if (given := getattr(exit_, "state", None)) is not None
        for symbol in symbols
    }
    with ExitStack() as held:
        for path in files.values():
            held.enter_context(held_state(path))
        yield BanditFiles(files)
