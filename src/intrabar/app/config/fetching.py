"""What a fetch of bars is asked for, in a call and in a command alike."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from intrabar.app.config.kinds import Day
from intrabar.app.config.section import Section, refused
from intrabar.errors import LONGEST, ConfigError
from intrabar.model.values import named, shown


def _symbol(given: Any) -> str:
    """A name that a vendor may know."""
    try:
        symbol = named("", given)
    except ConfigError as error:
        raise refused(error) from None
    if len(symbol) > LONGEST:
        why = f"is {shown(symbol)}, must be a name of at most {LONGEST} characters"
        raise refused(why)
    return symbol


class Fetching(Section):
    """Which bars of a vendor.

    Parameters
    ----------
    symbol, period : str
    start, end : date or time
        A date stands for the bars that close on it.
    calendar : str, optional
    replace : bool
    """

    symbol: Annotated[str, BeforeValidator(_symbol)]
    period: str
    start: Day
    end: Day | None = None
    calendar: str | None = None
    replace: bool = False
