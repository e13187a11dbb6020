"""The market: the only code that decides a fill, a cost, a margin or an average price."""
