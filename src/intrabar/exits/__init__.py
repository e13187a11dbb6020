"""When to leave: exit rules that place and move the stop and the target of a position."""
