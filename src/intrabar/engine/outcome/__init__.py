"""What came of a run: tables, figures, remarks, the expected result."""
