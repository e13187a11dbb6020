"""What to want: the strategy contract and the strategies that come with Intrabar."""
