"""Whether a decision saw the future."""
