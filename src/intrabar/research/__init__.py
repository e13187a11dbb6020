"""Many runs, and what they prove: sweeps, walk-forward, validation, critique."""
