"""Ids of orders at Public.com: UUIDs that hold our name, and give it back.

The vendor takes a UUID of ours as the id of an order and never orders twice by it, but shows no
other name. So the name itself stands in its 122 free bits, with 17 that prove it, under a mask of
the account: two accounts that use one name make two ids.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz-"
LONGEST = 20
_BASE, _PROOF, _FREE = len(ALPHABET) + 1, 17, 122


def order_id(client_id: str, account: str) -> str:
    """The id under which an order leaves.

    Raises
    ------
    ValueError
        A name of more than 20 characters, or of others than 0-9, a-z and the hyphen.
    """
    if not client_id or len(client_id) > LONGEST:
        raise ValueError(f"the name {client_id!r} has not 1 to {LONGEST} characters")
    number = 0
    for letter in reversed(client_id):
        number = number * _BASE + ALPHABET.index(letter) + 1
    bits = (number << _PROOF | _hash(client_id, account, _PROOF)) ^ _hash("", account, _FREE)
    high, middle, low = bits >> 74, bits >> 62 & 0xFFF, bits & (1 << 62) - 1
    return str(UUID(int=high << 80 | 4 << 76 | middle << 64 | 2 << 62 | low))


def name_in(order: str, account: str) -> str:
    """Our name of an order; "" where it is none of ours."""
    try:
        whole = UUID(order).int
    except ValueError:
        return ""
    bits = whole >> 80 << 74 | (whole >> 64 & 0xFFF) << 62 | whole & (1 << 62) - 1
    bits ^= _hash("", account, _FREE)
    number, name = bits >> _PROOF, ""
    while number and len(name) <= LONGEST:
        number, digit = divmod(number, _BASE)
        if not digit:
            return ""
        name += ALPHABET[digit - 1]
    if not name or len(name) > LONGEST:
        return ""
    return name if order_id(name, account) == str(UUID(order)) else ""


def _hash(text: str, account: str, bits: int) -> int:
    digest = hashlib.sha256(f"{account}\n{text}".encode()).digest()
    return int.from_bytes(digest, "big") >> 256 - bits
