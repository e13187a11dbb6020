"""Whether a learned exit is worth it, against the best exit that does not learn."""
