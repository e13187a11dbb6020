"""Sources of live bars."""
