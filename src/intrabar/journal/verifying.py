"""Is the journal what was written? And the tables that are worked out of it, once more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from intrabar.errors import IntegrityError, StateError, StoreError
from intrabar.journal.projections import Fold, Rows, empty_rows, write_rows
from intrabar.journal.reading import PIECE, Row, rows_of, session_of, sessions, wrong_in
from intrabar.journal.record import FIRST, body_of
from intrabar.model.entry import Entry
from intrabar.store.dialects import check_pages
from intrabar.store.engine import HOUR, Connection, Store
from intrabar.store.lease import take
from intrabar.store.migrate import check_format
from intrabar.store.tables import JOURNAL, PROJECTIONS, SESSIONS, in_order, of


class Verdict(NamedTuple):
    """What was found in the journal of a session.

    Parameters
    ----------
    session : str
    records : int
        Good ones, from the first on.
    bad : int, optional
        Number of the first that is not good; `records` is that of the last good one.
    why : str
        What is wrong; empty: nothing.
    archived : str, optional
        The file in which the records are now; then none are here.
    """

    session: str
    records: int
    bad: int | None = None
    why: str = ""
    archived: str | None = None

    @property
    def sentence(self) -> str:
        """In words."""
        if self.archived is not None:
            return f"{self.session}: archived in {self.archived}"
        if not self.why:
            return f"{self.session}: {self.records} records, the chain is whole"
        return f"{self.session}: {self.why}; the last good record is {self.records}"


def verify(store: Store, session: str | None = None, *, deep: bool = False) -> list[Verdict]:
    """Check the chain of one session, or of all.

    Parameters
    ----------
    store : Store
    session : str, optional
    deep : bool
        Also the pages of the file with its indexes, and that the tables are what comes out when
        they are worked out again.

    Returns
    -------
    list of Verdict

    Raises
    ------
    NotFoundError
        No such session.
    StateError
        No journal was ever begun there.
    StoreError
        The database is away.
    IntegrityError
        It is newer than the program.
    """
    damage = _damage(store, deep)
    try:
        if not check_format(store):
            raise StateError(f"{store.address}: there is no journal")
        known = sessions(store) if session is None else {session: session_of(store, session)}
        names = set(known) | (set() if session is not None else _named_in_journal(store))
    except StoreError:
        if not damage:
            raise
        return [Verdict(session or "all sessions", 0, None, damage)]
    verdicts = [_verdict(store, name, known.get(name), deep) for name in sorted(names)]
    if damage:
        return [_damaged(verdict, damage) for verdict in verdicts]
    return verdicts


def check(verdicts: Iterable[Verdict]) -> None:
    """Raise where one is bad.

    Raises
    ------
    IntegrityError
        With the sentence of each bad one.
    """
    bad = [verdict.sentence for verdict in verdicts if verdict.why]
    if bad:
        raise IntegrityError("\n".join(bad))


def rebuild(store: Store, session: str, folder: Path, now: int) -> dict[str, int]:
    """Work the tables of a session out again, from its records alone.

    Returns
    -------
    dict
        Table -> its rows.

    Raises
    ------
    StateError
        The session runs, or its records are archived.
    IntegrityError
        A record is not what was written; the tables stay as they were.
    """
    known = session_of(store, session)
    if known["archived"] is not None:
        raise StateError(f"{session!r} is archived in {known['archived']}: its records are there")
    lease = take(store, str(known["lease"]), now, folder)
    try:
        check([chain_of(session, known, rows_of(store, session))])

        def work(connection: Connection) -> dict[str, int]:
            lease.check(connection)
            for table in PROJECTIONS:
                connection.execute(table.delete().where(table.c.session == session))
            for rows in folded(session, rows_of(store, session)):
                write_rows(connection, rows)
            return {
                table.name: len(connection.execute(of(session, table)).all())
                for table in PROJECTIONS
            }

        return store.write(work, within=HOUR)
    finally:
        lease.give_back()


def folded(session: str, rows: Iterable[Row]) -> Iterator[Rows]:
    """What records make of the tables, in pieces."""
    fold = Fold(session)
    out = empty_rows()
    for count, row in enumerate(rows, start=1):
        if row["kind"] in fold.kinds:
            body = body_of(row["body"])
            entry = Entry(row["at"], row["bar"], row["step"], row["kind"], body)
            fold.add(out, row["seq"], entry)
        if count % PIECE == 0:
            yield out
            out = empty_rows()
    yield out


def worked_out(session: str, rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Table -> its rows as records make them, in the order of their keys."""
    tables: dict[str, dict[Any, Row]] = {table.name: {} for table in PROJECTIONS}
    for piece in folded(session, rows):
        for table in PROJECTIONS:
            found = tables[table.name]
            for row in piece[table.name]:
                key = tuple(row[column.name] for column in table.primary_key)
                kept = found.get(key)
                if kept is not None and "created" in row:
                    row = {**row, "created": kept["created"]}
                found[key] = row
    return {name: [rows[key] for key in sorted(rows)] for name, rows in tables.items()}


def tables_of(store: Store, session: str) -> dict[str, list[Row]]:
    """Table -> its rows as they stand, in the order of their keys."""
    return _state_of(store, session)[1]


def _state_of(store: Store, session: str) -> tuple[int, dict[str, list[Row]]]:
    """The tables at one moment, and the number of the last record then."""
    with store.reading() as connection:
        known = connection.execute(of(session, SESSIONS)).mappings().first()
        tables = {
            table.name: in_order(
                table, map(dict, connection.execute(of(session, table)).mappings())
            )
            for table in PROJECTIONS
        }
    return 0 if known is None else int(known["seq"]), tables


def differing(found: dict[str, list[Row]], meant: dict[str, list[Row]]) -> str:
    """The first table that is not as it is worked out, or nothing."""
    for name, rows in meant.items():
        if found[name] != rows:
            first = next(
                (i for i, (a, b) in enumerate(zip(found[name], rows, strict=False)) if a != b),
                min(len(found[name]), len(rows)),
            )
            return (
                f"table {name} is not what the records make of it, from its row {first + 1} on; "
                "`intrabar journal rebuild` writes it again"
            )
    return ""


def chain_of(session: str, known: Row, rows: Iterable[Row]) -> Verdict:
    """Check the chain of a session.

    Parameters
    ----------
    session : str
    known : dict
        `seq` and `hash` of the last record that was written.
    rows : iterable of dict
        Of the journal.
    """
    before, seq = FIRST, 0
    try:
        for row in rows:
            why = wrong_in(row, seq + 1, before)
            if why:
                return Verdict(session, seq, seq + 1, why)
            if seq == known["seq"]:
                return Verdict(session, seq, seq + 1, f"record {seq + 1} is behind the end")
            before, seq = bytes(row["hash"]), seq + 1
    except StoreError as error:
        return Verdict(session, seq, seq + 1, f"record {seq + 1} cannot be read: {error}")
    if seq < known["seq"]:
        why = f"record {seq + 1} is missing: {known['seq']} were written"
        return Verdict(session, seq, seq + 1, why)
    if before != known["hash"]:
        return Verdict(session, seq - 1, seq, f"record {seq} is not the end that was written")
    return Verdict(session, seq)


def _verdict(store: Store, session: str, known: Row | None, deep: bool) -> Verdict:
    if known is None:
        return Verdict(session, 0, 1, "records of a session that was never begun")
    if known["archived"] is not None:
        return Verdict(session, 0, archived=known["archived"])
    try:
        verdict = chain_of(session, known, rows_of(store, session, last=int(known["seq"])))
        if not verdict.why and (behind := _behind(store, session)):
            why = f"record {behind} is behind the end"
            verdict = Verdict(session, behind - 1, behind, why)
        if deep and not verdict.why:  # a session that goes on has more of both by now
            seq, tables = _state_of(store, session)
            meant = worked_out(session, rows_of(store, session, last=seq))
            verdict = verdict._replace(why=differing(tables, meant))
    except IntegrityError as error:
        return Verdict(session, 0, None, str(error))
    return verdict


def _behind(store: Store, session: str) -> int | None:
    """The first record that is behind the end of the session, if there is one."""
    with store.reading() as connection:
        known = connection.execute(of(session, SESSIONS)).mappings().one()
        query = of(session, JOURNAL).where(JOURNAL.c.seq > known["seq"]).order_by(JOURNAL.c.seq)
        found = connection.execute(query.limit(1)).mappings().first()
    return None if found is None else int(found["seq"])


def _damage(store: Store, deep: bool) -> str:
    """What is wrong with the file itself, or nothing."""
    try:
        with store.reading() as connection:
            check_pages(connection, store.address, whole=deep)
    except IntegrityError as error:
        return str(error)
    return ""


def _damaged(verdict: Verdict, damage: str) -> Verdict:
    """Of a damaged file: how many records can be read and are good."""
    return verdict._replace(why=f"{damage}; {verdict.why}" if verdict.why else damage)


def _named_in_journal(store: Store) -> set[str]:
    with store.reading() as connection:
        found = connection.execute(JOURNAL.select().with_only_columns(JOURNAL.c.session).distinct())
        return {str(row.session) for row in found}
