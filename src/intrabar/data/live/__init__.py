"""Sources of live bars, and what is fetched from vendors."""
