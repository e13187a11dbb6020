"""Databases: dialects, engine, migrations, lease. The only place that imports SQLAlchemy."""

from importlib.util import find_spec

from intrabar.errors import MissingExtra

if any(find_spec(name) is None for name in ("alembic", "psycopg", "sqlalchemy")):
    raise MissingExtra("a journal", "store")
