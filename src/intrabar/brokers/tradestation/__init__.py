"""Orders at TradeStation: what leaves, what is told, and the adapter between them."""
