"""Servers on loopback that speak as a vendor does, for tests: an account, faults, a wire."""
