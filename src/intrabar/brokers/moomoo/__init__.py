"""Moomoo as a broker, by its gateway OpenD."""
