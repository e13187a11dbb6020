"""Public.com as a broker."""
