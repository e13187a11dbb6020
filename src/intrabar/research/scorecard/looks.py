"""Looks: every scorecard that was shown, in the ledger of trials.

Who asks often enough is told once by chance that an exit is worth it. So each scorecard is a line
of the ledger before it is shown, and those whose tests share time with it deflate it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from intrabar.research.sweep.ledger import Ledger

TABLE = """
CREATE TABLE IF NOT EXISTS looks (
    look TEXT,        -- a look has a line per symbol
    made TEXT,        -- ISO, UTC
    bot TEXT,
    symbol TEXT,
    first INTEGER,    -- of the test, ns UTC
    last INTEGER,
    policy TEXT,      -- hash
    seed TEXT,        -- of any size
    data TEXT,        -- hash of the bars
    sharpe REAL       -- a day, of the difference to the static exit; null where it has none
)
"""
COLUMNS = "look, made, bot, symbol, first, last, policy, seed, data, sharpe"


@dataclass(frozen=True, slots=True)
class Look:
    """A scorecard that was shown.

    Parameters
    ----------
    bot : str
        Its kind: that of its entry.
    symbols : tuple of str
    first, last : int, ns UTC
        Of its test.
    policy : str
        Hash.
    seed : int
    data : str
        Hash of the bars.
    sharpe : float or None, a day
        Of the account's difference to the static exit.
    """

    bot: str
    symbols: tuple[str, ...]
    first: int
    last: int
    policy: str
    seed: int
    data: str
    sharpe: float | None


def first_seen(ledger: Ledger, policy: str) -> str | None:
    """When a policy of this hash was first looked at, ISO, UTC; None: never.

    Raises
    ------
    RunError
        The ledger cannot be read.
    """
    with ledger.writing() as file:
        file.execute(TABLE)
        found = file.execute("SELECT min(made) FROM looks WHERE policy = ?", (policy,)).fetchone()
    return None if found[0] is None else str(found[0])


def looked(ledger: Ledger, look: Look) -> list[Look]:
    """Write a look, and give all that count with it, the oldest first and itself last.

    Those of its bot and of one of its symbols whose tests overlap its own in time count, whatever
    policy, seed or bars they were of.

    Raises
    ------
    RunError
        The ledger cannot be written.
    """
    made, name = datetime.now(UTC).isoformat(timespec="seconds"), uuid4().hex
    own = (look.first, look.last, look.policy, str(look.seed), look.data, look.sharpe)
    rows = [(name, made, look.bot, symbol, *own) for symbol in look.symbols]
    marks = ",".join("?" * len(look.symbols))
    with ledger.writing() as file:
        file.execute(TABLE)
        found = file.execute(
            f"SELECT {COLUMNS} FROM looks WHERE bot = ? AND symbol IN ({marks}) "
            "AND first <= ? AND last >= ? ORDER BY rowid",
            (look.bot, *look.symbols, look.last, look.first),
        ).fetchall()
        file.executemany(f"INSERT INTO looks ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?)", rows)
    before = {
        name: Look(bot, (symbol,), first, last, policy, int(seed), data, sharpe)
        for name, _, bot, symbol, first, last, policy, seed, data, sharpe in found
    }
    return [*before.values(), look]
