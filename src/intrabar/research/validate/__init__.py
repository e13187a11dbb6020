"""Whether a result is likely to be luck."""
