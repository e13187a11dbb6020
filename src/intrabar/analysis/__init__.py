"""How it went: campaigns, trades and metrics from the fills and the equity of a run."""
