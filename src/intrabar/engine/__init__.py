"""One loop: a strategy, a market and an account in, a result out."""
