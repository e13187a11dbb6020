"""The sections `live`, `store` and `brokerage`: a session, its journal, who fills its orders."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AliasChoices, Field

from intrabar.app.config.kinds import AccountId, Capital, Day, Window
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


class BrokerageConfig(Section):
    """Who fills the orders of a session that trades through a broker.

    Parameters
    ----------
    name : str
        Of the broker: "simulated", or one of `intrabar broker list`; older files say `provider`.
    credentials : mapping
        References to secrets, by the names on the broker's page.
    """

    name: str = Field(validation_alias=AliasChoices("name", "provider"))
    credentials: dict[str, Any] = Field(default_factory=dict)


class LiveConfig(Section):
    """How a session lives; a backtest does not read it.

    Parameters
    ----------
    name : str
        Of the session; "" for the configuration's own name.
    fills : "market" or "broker"
        Who fills: the compiled market, or the broker of `brokerage`. With `--broker` the broker.
    account : str, optional
        Id of the account at the broker; where it is written in digits it stands in quotes.
    capital : money or "all", optional
        With which the book begins; all: what the account has. None: `account.cash`.
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
    absence_after : seconds
        After the end of a call, before an order that nobody finds may count as absent.
    naked_seconds : seconds
        From a fill on, until it must be covered.
    on_stop_refused : "watch" or "exit"
        What becomes of a position whose stop the broker does not take.
    watched_stops : bool
        Stops that this program watches count as cover; never with real money.
    foreign : "refuse" or "tolerate"
        Orders and positions of others in symbols that the session does not trade.
    expire_days : sessions
        Before a contract ends in which nothing is entered.
    maintenance : list of str
        When the vendor resets: "23:45-00:45 America/New_York". No entries from 2 minutes before.
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
    fills: Literal["market", "broker"] = "market"
    account: AccountId = None
    capital: Capital = None
    period: str | None = None
    warm_up: int | Day | None = None
    look_back: int = Field(default=5_000, ge=1, le=2**31)
    pause: float | None = Field(default=None, gt=0)
    close_grace: float | None = Field(default=None, gt=0)
    act_within: float | None = Field(default=None, gt=0)
    absence_after: float = Field(default=30.0, ge=30.0)
    naked_seconds: float = Field(default=5.0, gt=0)
    on_stop_refused: Literal["watch", "exit"] = "watch"
    watched_stops: bool = False
    foreign: Literal["refuse", "tolerate"] = "refuse"
    expire_days: int = Field(default=2, ge=0, le=250)
    maintenance: list[Window] = Field(default_factory=list)
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


SECRET = (
    "brokerage.credentials",
    "data.credentials",
    "live.sources",
    "live.notify",
    "live.heartbeat_url",
    "store.password",
)
"""Places in which references to secrets stand, which are not filled in while a file is read."""
