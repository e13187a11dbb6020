"""What happened in a step, in words."""
