"""Folders of runs and sweeps: written, found, read, run again."""
