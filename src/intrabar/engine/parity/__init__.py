"""A session held against what the market model would have done."""
