"""What `import intrabar` gives: one file per call."""
