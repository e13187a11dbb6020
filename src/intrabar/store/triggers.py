"""What refuses a change of the journal's rows, in both databases."""

from __future__ import annotations

from sqlalchemy import Connection

SAYS = "the journal is only appended to"
_SQLITE = """
CREATE TRIGGER journal_is_kept_{what} BEFORE {what} ON journal
BEGIN SELECT RAISE(ABORT, '{says}'); END
"""
_FUNCTION = """
CREATE OR REPLACE FUNCTION journal_is_kept() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{says}'; END $$
"""
_POSTGRES = """
CREATE TRIGGER journal_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
FOR EACH STATEMENT EXECUTE FUNCTION journal_is_kept()
"""


def keep_journal(connection: Connection) -> None:
    """Refuse UPDATE and DELETE of the journal from now on."""
    if connection.dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            connection.exec_driver_sql(_SQLITE.format(what=what, says=SAYS))
    else:
        connection.exec_driver_sql(_FUNCTION.format(says=SAYS))
        connection.exec_driver_sql(_POSTGRES)


def free_journal(connection: Connection) -> None:
    """Allow them, until `keep_journal` in the same transaction."""
    if connection.dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS journal_is_kept_{what}")
    else:
        connection.exec_driver_sql("DROP TRIGGER IF EXISTS journal_is_kept ON journal")
