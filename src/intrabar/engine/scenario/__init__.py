"""Scenarios: a market and orders written down, and what comes of them."""
