"""Kinds of values in a configuration: a day, a time zone."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from intrabar.app.config.section import refused
from intrabar.errors import ConfigError
from intrabar.model.instant import python_date
from intrabar.model.values import zone


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
