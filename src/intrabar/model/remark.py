"""What a person has to know about a run before believing its figures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Remark:
    """One sentence about what was guessed, refused, left out or contradicted.

    Parameters
    ----------
    text : str
        A whole sentence that names the place and says what to do.
    severe : bool
        Whether the figures may be wrong because of it; such remarks stand above the figures.
    """

    text: str
    severe: bool = False
