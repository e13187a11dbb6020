"""A run whose bars come one after the other: paper and live."""
