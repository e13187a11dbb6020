"""Values in a scenario file that are not what their field takes: refused with the place."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from typing import Any

from intrabar.errors import ConfigError, NotFoundError
from intrabar.model.enums import Word


def check_keys(place: str, given: Any, known: Collection[str]) -> None:
    """Refuse a key that nobody reads: it is a slip of the pen."""
    if not isinstance(given, dict):
        raise ConfigError(f"{place}: {shown(given)}, must be an object")
    for name in given:
        if name not in known:
            raise NotFoundError(f"key in {place}", name, known)


def check_name(place: str, value: Any) -> None:
    """Refuse what is not a text with something in it."""
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{place}: {shown(value)}, must be a name")


def check_number(
    place: str, value: Any, least: float = -math.inf, above: float = -math.inf
) -> None:
    """Refuse what is not a finite number, or not in its bounds."""
    fine = isinstance(value, int | float) and not isinstance(value, bool)
    if not fine or not abs(value) < 1e300:
        raise ConfigError(f"{place}: {shown(value)}, must be a number")
    if value < least:
        raise ConfigError(f"{place}: {value}, must be {least:g} or more")
    if value <= above:
        raise ConfigError(f"{place}: {value}, must be above {above:g}")


def check_whole(place: str, value: Any, least: int, most: int, what: str) -> None:
    """Refuse what is not a whole number between two bounds."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ConfigError(f"{place}: {shown(value)}, must be {what}, {least} to {most}")


def check_word(place: str, value: Any, words: type[Word]) -> None:
    """Refuse a word that an enumeration does not have."""
    known = [w.word for w in words]
    if value not in known:
        raise NotFoundError(place, str(value), known)


def check_flag(place: str, value: Any) -> None:
    """Refuse what is not true or false."""
    if not isinstance(value, bool):
        raise ConfigError(f"{place}: {shown(value)}, must be true or false")


def check_length(place: str, values: Any, length: int) -> None:
    """Refuse what is not a list with one value for each timestamp."""
    if not isinstance(values, list):
        raise ConfigError(f"{place}: {shown(values)}, must be a list")
    if len(values) != length:
        raise ConfigError(f"{place}: {len(values)} values, but the timeline has {length}")


def shown(value: Any) -> str:
    """A value as the file has it, cut where it is long."""
    try:
        text = json.dumps(value)
    except (TypeError, ValueError):
        text = f"of type {type(value).__name__}"
    return text if len(text) <= 40 else text[:37] + "..."
