"""The sections `live` and `store`: how a session lives, and where its journal is."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from intrabar.app.config.kinds import Day
from intrabar.app.config.section import Section


class SourceOfBars(Section):
    """Who tells the bars.

    Parameters
    ----------
    name : str
        "yfinance", "alpha_vantage", or one that a package offers.
    credentials : mapping
        References to secrets: `api_key: ${ALPHAVANTAGE_API_KEY}`.
    """

    name: str
    credentials: dict[str, Any] = Field(default_factory=dict)


class LiveConfig(Section):
    """How a session lives; a backtest does not read it.

    Parameters
    ----------
    name : str
        Of the session; "" for the configuration's own name.
    period : str, optional
        Of its rows: "1m", "1d".
    warm_up : bars or date, optional
        What comes before the first row that is traded; ten times what its indicators need.
    look_back : bars
        That stay for the histories of classes.
    pause : seconds, optional
        Between two questions to a source that is polled.
    close_grace, act_within : seconds, optional
        How long a row waits for its bars; how long after its close it may still be entered on.
    hours : "regular" or "extended"
    flatten : str, optional
        When positions are closed: "-3m" before each close, "15:57 America/New_York".
    on_error : "reduce" or "halt"
        What the breaker does when a strategy raises.
    commit_within, hook_limit : seconds
        How long the journal, and a strategy's hook, may take.
    emergency : folder, optional
        A second place for the mark that a session halted without its journal.
    folder : folder
        Of the sessions' folders.
    sources : list of SourceOfBars
    notify : list of references to URLs
    heartbeat_url : reference, optional
    metrics : port, optional
        Of `/metrics`, `/healthz` and `/readyz` on this machine.
    """

    name: str = ""
    period: str | None = None
    warm_up: int | Day | None = None
    look_back: int = Field(default=5_000, ge=1, le=2**31)
    pause: float | None = Field(default=None, gt=0)
    close_grace: float | None = Field(default=None, gt=0)
    act_within: float | None = Field(default=None, gt=0)
    hours: Literal["regular", "extended"] = "regular"
    flatten: str | None = None
    on_error: Literal["reduce", "halt"] = "reduce"
    commit_within: float = Field(default=5.0, gt=0)
    hook_limit: float = Field(default=60.0, gt=0)
    emergency: str | None = None
    folder: str = "sessions"
    sources: list[SourceOfBars] = Field(default_factory=list)
    notify: list[str] = Field(default_factory=list)
    heartbeat_url: str | None = None
    metrics: int | None = Field(default=None, ge=0, le=65_535)


class StoreConfig(Section):
    """Where journals are.

    Parameters
    ----------
    url : str, optional
        `postgresql://user@host/database`; None: SQLite in the session's folder.
    password : reference, optional
    """

    url: str | None = None
    password: str | None = None


SECRET = ("data.credentials", "live.sources", "live.notify", "live.heartbeat_url", "store.password")
"""Places in which references to secrets stand, which are not filled in while a file is read."""
