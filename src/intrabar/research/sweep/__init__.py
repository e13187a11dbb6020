"""Many variants of a run."""
