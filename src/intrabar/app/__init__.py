"""Composition: the command line, the configuration, and the only place that chooses parts."""
