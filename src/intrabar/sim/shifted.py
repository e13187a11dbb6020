"""A piece of a history under the bar numbers of the whole.

Kernels and strategies name a bar by its row from the first bar of the run on. Where only a piece
of the bars is in memory, its arrays begin, as far as addresses go, that many rows before it:
nothing checks or reads the rows in between, and no code that runs on a piece need know that it is
one. What walks over whole arrays (`any`, `isnan`, a copy) must be given the piece itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.sim.tables import address_of


class _Shifted:
    """What NumPy is told of an array whose row 0 is `first` rows before its memory."""

    def __init__(self, array: NDArray[Any], first: int, more: int) -> None:
        start = address_of(array, array.dtype, array.shape)
        self.memory = array  # kept alive by every view of it
        self.__array_interface__ = {
            **array.__array_interface__,
            "data": (start - first * array.strides[0], False),
            "shape": (first + array.shape[0] + more, *array.shape[1:]),
        }


def numbered(array: NDArray[Any], first: int, more: int = 0) -> NDArray[Any]:
    """An array whose row `first` is row 0 of the one that is given; no other row may be read.

    Parameters
    ----------
    array : (k, ...), contiguous
    first : bar
    more : int
        Rows behind that are not in memory yet.
    """
    return np.asarray(_Shifted(array, first, more))
