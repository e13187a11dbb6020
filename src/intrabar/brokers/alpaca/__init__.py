"""An account at Alpaca behind the broker protocol."""
