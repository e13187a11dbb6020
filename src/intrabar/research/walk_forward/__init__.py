"""Choosing on one stretch and trading the next."""
