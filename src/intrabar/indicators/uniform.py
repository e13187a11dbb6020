"""Draws that depend on a seed, a symbol and a time alone: a counter-based random generator."""

from __future__ import annotations

import numpy as np

from intrabar.indicators.indicator import Floats, Times
from intrabar.kernel import kernel

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)
_FNV_START = 0xCBF29CE484222325
_FNV_PRIME = 0x100000001B3
_MASK = 0xFFFFFFFFFFFFFFFF


@kernel
def splitmix64(x: np.uint64) -> np.uint64:
    """Output function of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    x = np.uint64(x + _GOLDEN)
    x = np.uint64((x ^ (x >> np.uint64(30))) * _MIX_A)
    x = np.uint64((x ^ (x >> np.uint64(27))) * _MIX_B)
    return np.uint64(x ^ (x >> np.uint64(31)))


@kernel
def draws(key: np.uint64, time: Times) -> Floats:
    """A draw in [0, 1) per time: 53 bits of a hash of key and time."""
    out = np.empty(time.shape[0])
    for i in range(time.shape[0]):
        bits = splitmix64(np.uint64(key ^ splitmix64(np.uint64(time[i]))))
        out[i] = float(bits >> np.uint64(11)) * (1.0 / 9007199254740992.0)
    return out


def uniform_key(seed: int, symbol: str) -> np.uint64:
    """The key of one seed and one symbol: FNV-1a of the name, mixed with the seed."""
    name = _FNV_START
    for byte in symbol.encode():
        name = ((name ^ byte) * _FNV_PRIME) & _MASK
    mixed: np.uint64 = splitmix64(np.uint64(name ^ (seed & _MASK)))
    return np.uint64(mixed)
