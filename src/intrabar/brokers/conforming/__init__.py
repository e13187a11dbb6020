"""What every broker promises, as functions of a scene; `brokers.conformance` has them as tests."""
