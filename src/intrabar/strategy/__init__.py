"""What to want: the strategy contract and the strategies that come with Intrabar.

Four ways to write one, and one contract: `Signals` and `Weights` (arrays), a `Bot` (entry, exit,
size and gates from small pure functions) and a `Strategy` (a Python class with hooks). The same
object goes to every mode.
"""
