"""Alpaca, on its own client `alpaca-py`: REST in worker threads, and two websockets of our own.

`hosts` says where, `rest` asks, `streams` listens, `prices` is a vendor of bars and quotes. Nothing
else imports the client.
"""
