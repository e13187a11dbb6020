"""Servers on 127.0.0.1 that speak the wire of a vendor, with faults by name."""
