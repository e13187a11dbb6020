"""What a vendor writes, read in one place: numbers by their decimal text, zones, excuses."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from intrabar.errors import BadAnswer
from intrabar.model.secret import redact


def number(value: Any, what: str) -> float:
    """A price, volume or amount; not a number (NaN) for null and blank.

    Raises
    ------
    BadAnswer
        It is something else.
    """
    if value is None or value == "":
        return math.nan
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        return float(Decimal(str(value)))
    except InvalidOperation:
        raise BadAnswer(f"{what} is {str(value)[:40]!r}, no number") from None


def meant(value: float) -> float:
    """The decimal that was meant by a number that went through single precision.

    Yahoo writes 27.84749984741211 for 27.8475: the shortest decimal with that single is taken.
    A number that is no single stays as it is.
    """
    single = np.float32(value)
    return float(str(single)) if float(single) == value else value


def times(value: float, ratio: float) -> float:
    """A product in decimals: 27.8475 times 4 is 111.39."""
    if not math.isfinite(value):
        return value
    product = Decimal(repr(value)) * Decimal(repr(ratio))
    return float(product.quantize(Decimal("1e-9")).normalize()) if product else 0.0


def zone_named(name: str, place: str) -> ZoneInfo:
    """The zone of an exchange.

    Raises
    ------
    BadAnswer
        There is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadAnswer(f"{place}: the zone {name!r} is not known") from None


def begin(answer: Any) -> str:
    """How an answer begins that cannot be read, without a secret."""
    return redact(repr(answer)[:400])[:120]
