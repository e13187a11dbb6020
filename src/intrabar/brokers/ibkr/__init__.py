"""Orders at Interactive Brokers, through Trader Workstation or IB Gateway."""
