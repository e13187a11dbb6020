"""Databases: dialects, engine, migrations, lease."""
