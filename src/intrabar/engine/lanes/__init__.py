"""Single campaigns on the one market, each in an account of its own."""
