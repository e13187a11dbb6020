"""A Trader Workstation on loopback: the text protocol at server version 178."""
