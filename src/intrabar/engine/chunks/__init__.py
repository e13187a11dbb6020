"""Runs in chunks, for histories larger than memory."""
