"""Maths: causal recurrences over bars, and the registry that names them."""
