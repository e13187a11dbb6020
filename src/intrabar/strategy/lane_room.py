"""What lanes that are stepped together are given: the records and arrays behind `lane_steps`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.strategy.lane_kernel import Campaigns, Words

Floats = NDArray[np.float64]

EVERY = 64  # bars between two flat accounts that are kept

# What a lane does next.
SEEK, CHOOSE, RUN, READY, OVER = range(5)
# Why a call came back, beside the reasons of the loop: all are ready; the order of starts is at its
# end; no start can be entered.
DONE, MORE, NONE = 10, 11, 12

# A market that lanes can be in; addresses of its arrays, t bars long.
PLACE = np.dtype(
    [
        ("tape", "i8"),
        ("bars", "i8"),
        ("flats", "i8"),  # (t / EVERY, words) flat accounts before the hooks of their bar's close
        ("hooks", "i8"),  # the strategy with its hooks
        ("hooks_count", "i8"),  # words
        ("side", "i8"),  # (t, 1) float64, as in `Bet`, with the three that follow
        ("multiple", "i8"),
        ("atr", "i8"),
        ("cash", "f8"),
        ("risk_fraction", "f8"),
        ("table", "i8"),  # (m, F) float64 features of its real bars, for a long
        ("rows", "i8"),  # m
        ("row_of", "i8"),  # (t,) int64 row of the table
        ("next", "i8"),  # (t,) int64 next bar that is real; t after the last
    ]
)

LANE = np.dtype(
    [
        ("number", "i8"),  # of all lanes that share the order of starts
        ("drawn", "i8"),  # starts that it has taken
        ("due", "i8"),  # SEEK, CHOOSE, RUN, READY, OVER
        ("start", "i8"),
        ("place", "i8"),  # row of the markets
        ("bar", "i8"),  # of the last decision
        ("side", "i8"),
        ("arm", "i8"),
        ("multiple", "f8"),  # infinite: the stop stays
        ("budget", "f8"),
        ("wanted", "f8"),
        ("profit", "f8"),  # account currency, marked, less costs so far
        ("steps", "i8"),  # of this campaign
    ]
)


class Scaling(NamedTuple):
    """By what features are normalised, as `Network` has it."""

    signs: NDArray[np.int8]
    mean: Floats
    scale: Floats


class Offsets(NamedTuple):
    """Where in a lane's row of words something lies."""

    strategy: int
    context: int
    book: int
    counts: int
    held: int
    gates: int
    bars: int


class Room(NamedTuple):
    """Everything of lanes that are stepped together.

    Attributes
    ----------
    places : (s,) PLACE
    lanes : (k,) LANE
    memory, flat : (k, words) int64
        What each is now, and was at its signal's close.
    books : (k,) int64
        Addresses of their books' tables.
    own : (k, 4) int64
        Addresses of its bot's record, its book's table, its counts and its held bars.
    at : Offsets
    start_place, start_bar, start_side : (m,)
        All starts.
    order : (n,) int64
        In which they are taken: lane number j of `of` takes the places j, j + of, j + 2 of ...
    of : int
    repeats : bool
        Whether the order goes on where it ends; else the lanes are over.
    arms : (K,) float64, ATR multiples
    scaling : Scaling
    by_bar : bool
        Whether it is decided at each close while held as well.
    max_bars : int
    seen : (k, 1, F or F + 4) float64
        Written: what the exit sees now; 0 where a campaign is over.
    reward : (k,) float64
        Written: change of profit / budget in the last step; 0 before it.
    ended : (k,) bool
        Written: whether the campaign ended in the last step; False before it.
    last : Campaigns of (k, 1)
        Written: the campaign that ended.
    steps : (k,) int64
        Written: how many steps it took.
    first : (k,) int64
        Written: its start.
    fates : (6, K) int64
        Counted: what became of the campaigns of each arm, by `Fate`.
    skipped : (6,) int64
        Counted: starts that no arm could enter.
    scratch : (4,) float64
        Scratch: what is told of the position.
    """

    places: NDArray[Any]
    lanes: NDArray[Any]
    memory: Words
    flat: Words
    books: Words
    own: Words
    at: Offsets
    start_place: NDArray[np.int32]
    start_bar: Words
    start_side: NDArray[np.int8]
    order: Words
    of: int
    repeats: bool
    arms: Floats
    scaling: Scaling
    by_bar: bool
    max_bars: int
    seen: NDArray[np.float64]
    reward: Floats
    ended: NDArray[np.bool_]
    last: Campaigns
    steps: Words
    first: Words
    fates: NDArray[np.int64]
    skipped: Words
    scratch: Floats
