"""The market as a machine: its memory, its hooks, its place."""
