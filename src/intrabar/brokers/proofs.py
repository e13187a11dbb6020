"""What is proven of each broker: tests that it passes, and who else says that its fake is right.

`proofs.json` stands in the wheel; a test keeps it true.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec


class Proof(msgspec.Struct, frozen=True, rename={"at": "class"}):
    """What is proven of one broker.

    Parameters
    ----------
    tests : int
        Conformance tests that it passes; 0 where it is not shipped.
    at : str
        The class that inherits them.
    source : str
        What the fake was validated with that nobody here wrote.
    why : str
        Why it is not shipped; "" where it is.
    """

    tests: int = 0
    at: str = ""
    source: str = ""
    why: str = ""


@cache
def proofs() -> dict[str, Proof]:
    """By name of the broker."""
    text = files("intrabar.brokers").joinpath("proofs.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, Proof])
