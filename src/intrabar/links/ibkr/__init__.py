"""The wire of Trader Workstation and IB Gateway: `ib_async` is imported here and nowhere else."""
