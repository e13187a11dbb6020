"""How a history is cut for tests: walk-forward windows, purged folds, labels."""
