"""Kinds of values in a configuration: a day, a time zone, a stretch of the day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from intrabar.app.config.section import refused
from intrabar.errors import ConfigError
from intrabar.links.maintenance import window_of
from intrabar.model.instant import python_date
from intrabar.model.values import Bounds, from_text, taken, zone


def _no_number(given: Any) -> Any:
    """A date; a number would be taken for seconds since 1970, also 20200131."""
    if isinstance(given, np.datetime64):
        given = python_date(given) or np.datetime64("NaT", "s")
    # A datetime that has no year, or none of Python's.
    if isinstance(given, np.datetime64) or type(given).__name__ == "NaTType":
        raise PydanticCustomError("date_type", "no date")
    if isinstance(given, int | float) or (isinstance(given, str) and given.isdigit()):
        raise PydanticCustomError("date_type", "no date")
    return given


Day = Annotated[date | datetime, BeforeValidator(_no_number)]


def _zone(given: Any) -> str | None:
    """The IANA name of a zone that may be an object."""
    try:
        return zone("", given)
    except ConfigError as error:
        raise refused(error) from None


Zone = Annotated[str | None, BeforeValidator(_zone)]


def _window(given: Any) -> str:
    """A stretch of the day, as it is written."""
    try:
        window_of(given)
    except ConfigError as error:
        raise refused(error) from None
    return str(given)


Window = Annotated[str, BeforeValidator(_window)]


def _account(given: Any) -> Any:
    """An id; digits without quotes would lose zeros in front."""
    if isinstance(given, int | float):
        raise refused(f"is {given}, must stand in quotes: '{given}'")
    if isinstance(given, str) and not given.strip():
        raise refused("is empty; write the id of the account")
    return given


AccountId = Annotated[str | None, BeforeValidator(_account)]


def _capital(given: Any) -> Any:
    """Money, or all that the account has."""
    if given is None or given == "all":
        return given
    try:
        return taken("", from_text(given, Bounds(above=True)), Bounds(above=True))
    except ConfigError as error:
        raise refused(f"{error}, or 'all'") from None


Capital = Annotated[Any, BeforeValidator(_capital)]
