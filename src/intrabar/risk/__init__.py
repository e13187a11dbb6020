"""May we: limits, and one latched breaker."""
