"""The configuration: its model, and its file."""
