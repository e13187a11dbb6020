"""The wire of TradeStation: hosts, tokens, calls, streams; one client for adapter and source."""
