"""Exits that learn: datasets of single campaigns. What belongs to Python callers is in `app`."""
