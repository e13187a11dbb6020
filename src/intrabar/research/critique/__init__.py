"""A critique of one run."""
