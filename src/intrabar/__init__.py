"""Intrabar: one strategy, one compiled market, and honesty about what a bar does not tell."""

__version__ = "0.1.0"
