"""Run by Alembic for each migration; the connection is the caller's, and so is the transaction."""

from __future__ import annotations

from alembic import context

from intrabar.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
