"""Words: the frozen values that every other package speaks in."""
