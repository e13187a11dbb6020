"""What a strategy or a model reads besides its columns: feature tables, predictions of a file."""
