"""The way out: protocols, a vendor's client and tokens, retry, notices to persons, Optuna."""
