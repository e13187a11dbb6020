"""`intrabar paper`: a session whose market fills, on live bars or on recorded ones."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

from cyclopts import Parameter

from intrabar.app.cli.account import broker_of, found, simulated, with_capital
from intrabar.app.cli.journal_options import JournalOptions
from intrabar.app.cli.output import Json, print_json
from intrabar.app.cli.session_folders import is_running
from intrabar.app.compose.broker_fills import SIMULATED, Answered
from intrabar.app.compose.demo import demo_config
from intrabar.app.compose.recipe import Recipe
from intrabar.app.compose.session import live_period, live_session, recorded_session, source_of
from intrabar.app.compose.session_setup import SessionSetup
from intrabar.app.config.file import read_config
from intrabar.app.config.model import Config, Source
from intrabar.app.folders.journals import JOURNAL_FILE, SESSIONS, journal_of
from intrabar.app.pages.session_report import REPORT
from intrabar.app.workers.lived import Lived
from intrabar.app.workers.paper import Ways, live_through
from intrabar.data.instruments import calendar_of
from intrabar.errors import ConfigError, NotFoundError, StateError
from intrabar.journal.reading import read
from intrabar.links.clock import WallClock
from intrabar.links.source import BarSource
from intrabar.model.bars import DAY_NS, Bars
from intrabar.risk.breaker import Level

DEMO = "demo"
OWN = "data"
"""`--recorded data`: the bars that the configuration names."""
BREAKER = 3  # exit code


def paper(
    config: Path,
    /,
    *,
    broker: str | None = None,
    recorded: str | None = None,
    speed: float = 0.0,
    name: str = "",
    take_over: bool = False,
    without: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    restored: bool = False,
    as_json: Json = False,
) -> int:
    """Start a session on paper, or go on with the one of that name.

    Parameters
    ----------
    config : path
        A configuration file.
    broker : str
        Who fills instead of the market: simulated, or a broker of whose paper account live.account
        is the id.
    recorded : path, or "data"
        Live through the bars of a file, or those that the configuration names, in their own time.
    speed : float
        Of recorded bars: rows a second; 0 without a pause.
    name : str
        Of the session and its folder; else live.name, else the configuration's name.
    take_over : bool
        Take the session from a process that still runs.
    without : list of str
        Strategies that are called no more.
    restored : bool
        With a broker: the journal was put back, and no other copy of this session lives.
    as_json : bool
        One JSON object on stdout, nothing else.
    """
    made, remarks = read_config(config, "paper")
    ways = Ways(speed, take_over, tuple(without), restored)
    who = broker_of(made, broker)
    remarks += _unread(made) if who is None else []
    make = None
    if recorded is not None:
        ways = replace(ways, pages=sys.stderr)
        setup, source = _recorded(made, remarks, name, recorded, who), None
    else:
        ways = replace(ways, stream=sys.stderr)
        account = None
        if who is not None:
            _require_live_bars(who)
            account = found(who, made, "paper", traded_symbols(made))
            made, make = with_capital(made, account.answered), account.make
        setup, source = on_live_bars(made, remarks, name, account and account.answered)
    require_known(without, setup)
    notes = [*remarks, *setup.remarks]
    for note in () if as_json else notes:
        print(f"note: {note}")
    lived = live_through(setup, ways, source, make)
    return told(lived, notes, as_json)


def _unread(config: Config) -> list[str]:
    """What a file says of a broker, where the market fills."""
    named = [x.label for x in config.strategies if x.symbols]
    told = []
    if config.brokerage is not None:
        told.append(f"brokerage: {config.brokerage.name} is not asked, the market fills; --broker")
    if named:
        told.append(
            f"symbols of {', '.join(named)}: only with a broker; here every strategy may trade all"
        )
    return told


def _recorded(
    config: Config, remarks: list[str], name: str, recorded: str, who: str | None
) -> SessionSetup:
    """A session on the bars of a file, filled by the market or by the simulated broker."""
    config = _of(config, recorded)
    if who is None:
        return recorded_session(_recipe(config, remarks), name)
    if who != SIMULATED:
        raise ConfigError(
            f"--recorded: {who} does not fill bars of the past; give --broker {SIMULATED}, or "
            "leave --recorded out"
        )
    answered = simulated().answered
    recipe = _recipe(with_capital(config, answered), remarks)
    return recorded_session(recipe, name, answered=answered)


def _require_live_bars(who: str) -> None:
    if who == SIMULATED:
        raise ConfigError(
            f"--broker {SIMULATED}: it fills bars of the past; give --recorded too (--recorded "
            f"{OWN}); on live bars intrabar paper without --broker simulates"
        )


def demo_paper(*, sessions: Path = SESSIONS) -> int:
    """Live through three years of the demo's shares on paper, and hold it against the backtest.

    Parameters
    ----------
    sessions : path
        Folder of the sessions' folders; the session of the last time is lived anew.
    """
    from intrabar.app.cli.parity import parity

    config = demo_config()
    _take_away(sessions / DEMO, config.name)
    live = {"name": DEMO, "warm_up": date(2010, 3, 1), "folder": str(sessions)}
    config = config.model_copy(update={"live": config.live.model_copy(update=live)})
    setup = recorded_session(_recipe(config, []))
    print(f"{len(setup.history):,} rows warm up, then each row is an event of the journal ...")
    began = time.perf_counter()
    lived = live_through(setup)
    print("\n".join(lines(lived)[:-1]))
    print(f"took      {time.perf_counter() - began:.0f} s\n")
    return parity(DEMO, where=JournalOptions(sessions))


def _take_away(folder: Path, title: str) -> None:
    """Delete the demo's session of the last time, and nobody else's.

    Raises
    ------
    StateError
        It runs, or it is another session.
    """
    if is_running(folder):
        raise StateError(f"{folder}: a session runs there; stop it first, or give --sessions")
    if not (folder / JOURNAL_FILE).is_file():
        return
    with journal_of(DEMO, folder) as store:
        first = next(read(store, DEMO), None)
    if first is not None and first.entry.body["config"].get("name") != title:
        raise StateError(f"{folder}: there is another session than the demo's; give --sessions")
    shutil.rmtree(folder)


def require_known(without: Iterable[str], setup: SessionSetup) -> None:
    """Refuse a --without that names no strategy of the session.

    Raises
    ------
    NotFoundError
    """
    for unknown in set(without).difference(setup.plan.strategies):
        raise NotFoundError("strategy of --without", unknown, setup.plan.strategies)


def told(lived: Lived, notes: list[str], as_json: bool) -> int:
    """Print how the session ended; the exit code, `BREAKER` where the breaker holds it."""
    if as_json:
        print_json({**summary(lived), "notes": notes})
    else:
        print("\n".join(lines(lived)))
    return 0 if lived.level is Level.TRADING else BREAKER


def summary(lived: Lived) -> dict[str, Any]:
    """What a program wants to know."""
    session = lived.session
    return {
        "name": lived.folder.name,
        "folder": str(lived.folder),
        "ended": lived.why,
        "rows": session.count,
        "equity": session.equity,
        "cash": session.cash,
        "positions": session.positions,
        "breaker": lived.level.word,
        "why": session.judge.breaker.why(),
        "refused": dict(session.judge.counts),
        "digest": session.machine.digest(),
        "report": None if lived.unreported else str(lived.folder / REPORT),
        "unreported": lived.unreported,
    }


def lines(lived: Lived) -> list[str]:
    """The same for a person."""
    session = lived.session
    started = session.plan.account.cash
    equity = started if session.equity is None else session.equity
    refused = ", ".join(f"{rule} {count}" for rule, count in session.judge.counts.items())
    breaker = lived.level.word
    in_folder, in_store = _options(lived)
    if why := session.judge.breaker.why():
        breaker += f" ({why}); intrabar session resume {lived.folder.name} --reason TEXT{in_folder}"
    return [
        f"{lived.folder.name}: {lived.why} after {session.count:,} rows",
        f"equity    {equity:,.2f} {session.plan.account.currency} ({equity / started - 1.0:+.2%})",
        f"positions {len(session.positions)}",
        f"refused   {refused or 'nothing'}",
        f"breaker   {breaker}",
        f"journal   {lived.setup.config.store.url or lived.folder / JOURNAL_FILE}",
        f"report    {f'none: {lived.unreported}' if lived.unreported else lived.folder / REPORT}",
        f"next      intrabar parity {lived.folder.name}{in_folder}{in_store}",
    ]


def _options(lived: Lived) -> tuple[str, str]:
    """With what other commands find the session: its folder, and its journal's database."""
    sessions, store = lived.folder.parent, lived.setup.config.store
    is_usual = sessions.resolve() == SESSIONS.resolve()
    options = {"--store": store.url, "--store-password": store.password}
    return (
        "" if is_usual else f" --sessions {quote(str(sessions))}",
        "".join(f" {name} {quote(value)}" for name, value in options.items() if value),
    )


def _recipe(config: Config, remarks: list[str]) -> Recipe:
    if not config.traded:
        raise ConfigError(
            "symbols: there is none to trade; write symbols: [AAPL], or risk: "
            "{allowed_symbols: [AAPL]}"
        )
    return Recipe.of_config(config, remarks)


def _of(config: Config, recorded: str) -> Config:
    """The configuration with the bars of a file in the place of its own."""
    if recorded == OWN:
        return config
    symbols = config.traded
    if len(symbols) > 1:
        raise ConfigError(
            f"--recorded: one file for {', '.join(symbols)}; name the files under data, and write "
            f"--recorded {OWN}"
        )
    symbol = symbols[0] if symbols else Path(recorded).stem
    source = Source(symbol=symbol, file=str(Path(recorded).expanduser().resolve()))
    return config.model_copy(update={"data": [source], "symbols": []})


def traded_symbols(config: Config) -> list[str]:
    """What a session on live bars trades."""
    allowed = None if config.limits is None else config.limits.allowed_symbols
    return list(config.traded or allowed or ())


def on_live_bars(
    config: Config, remarks: list[str], name: str, answered: Answered | None = None
) -> tuple[SessionSetup, BarSource]:
    """A session on the bars of the configuration's source; its history is asked for now."""
    symbols = traded_symbols(config)
    recipe = _recipe(config.model_copy(update={"symbols": symbols, "data": []}), remarks)
    period = live_period(config)
    said = {s: str(x.get("calendar") or "") for s, x in config.instruments.items()}
    calendars = {s: said.get(s) or config.calendar or calendar_of(s) for s in symbols}
    source = source_of(config, WallClock(), {s: c for s, c in calendars.items() if c})
    now = time.time_ns()
    bars = asyncio.run(_history(source, symbols, period, config, now))
    recipe = replace(recipe, series=None)
    return live_session(recipe, bars, now, name, answered=answered, can=source.can), source


async def _history(
    source: BarSource, symbols: list[str], period: int, config: Config, now: int
) -> list[Bars]:
    """What the source has of each symbol, as far back as the warm-up may need."""
    asked = config.live.warm_up if isinstance(config.live.warm_up, int) else 500
    start = now - max(7 * asked * period, 10 * DAY_NS)
    return [await source.history(symbol, period, start, now) for symbol in symbols]
