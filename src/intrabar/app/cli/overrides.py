"""Options of the command line over a configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from intrabar.app.config.file import absolute, read_config, validated, with_catalogue
from intrabar.app.config.model import Config
from intrabar.errors import ConfigError, NotFoundError


@dataclass(frozen=True)
class Overrides:
    """What may be said instead of, or over, a configuration file.

    Parameters
    ----------
    symbol : list of str
        Trade these; may be repeated.
    start : date
        First day, such as 2020-01-31.
    end : date
        Last day.
    cash : float
        Account currency at the start.
    strategy : list of str
        Run these instead; may be repeated.
    param : list of NAME=VALUE
        Parameter of the strategies that have it; LABEL.NAME=VALUE for one of several.
    data : list of FILE or SYMBOL=FILE
        Bars; the symbol is the file's name where it is not given.
    zone : str
        Of stamps that carry none.
    calendar : str
        Exchange calendar of instruments for which none is named; none for none.
    currency : str
        Of the account.
    period : str
        Such as 5m or 1d.
    path_policy : str
        worst, best, shortest, nearest, low_first, high_first, random, detail or calibrated.
    out : path
        Folder of the run folders.
    name : str
        Title of the report.
    report : bool
        Write the report.
    chunk : int
        Run in chunks of so many bars, for a history larger than memory.
    """

    symbol: Annotated[list[str] | None, Parameter(negative="")] = None
    start: str | None = None
    end: str | None = None
    cash: float | None = None
    strategy: Annotated[list[str] | None, Parameter(negative="")] = None
    param: Annotated[list[str] | None, Parameter(negative="")] = None
    data: Annotated[list[str] | None, Parameter(negative="")] = None
    zone: str | None = None
    calendar: str | None = None
    currency: str | None = None
    period: str | None = None
    path_policy: str | None = None
    out: str | None = None
    name: str | None = None
    report: bool | None = None
    chunk: int | None = None


def overridden(file: Path | None, given: Overrides) -> tuple[Config, list[str]]:
    """The configuration to run.

    Returns
    -------
    Config
        Files and folders of its data are absolute: it means the same from anywhere.
    list of str
        Remarks on the file.
    """
    config = Config()
    remarks: list[str] = []
    if file is not None:
        config, remarks = read_config(file)
    values = config.model_dump(by_alias=True, exclude_unset=True)
    simple: dict[str, Any] = {
        "symbols": given.symbol,
        "start": given.start,
        "end": given.end,
        "out": given.out,
    }
    simple |= {"name": given.name, "report": given.report, "period": given.period}
    simple |= {"chunk": given.chunk, "calendar": given.calendar, "zone": given.zone}
    values |= {key: value for key, value in simple.items() if value is not None}
    account = {
        "cash": given.cash,
        "currency": given.currency,
        "path_policy": given.path_policy,
    }
    account = {key: value for key, value in account.items() if value is not None}
    if account:
        values["account"] = {**values.get("account", {}), **account}
    if given.data:
        values["data"] = [_source(text, given) for text in given.data]
    if given.strategy:
        values["strategies"] = [{"name": name} for name in given.strategy]
    if (given.strategy or given.data or given.symbol) and given.name is None:
        values.pop("name", None)  # the title of the file is that of another run
    _set_params(values.get("strategies", []), given.param or [])
    made = validated(Config, values)
    return with_catalogue(absolute(made, Path())), remarks


def _source(text: str, given: Overrides) -> dict[str, Any]:
    symbol, equals, file = text.partition("=")
    if not equals:
        file, symbol = text, Path(text).name.split(".")[0]
    if not file or not symbol:
        raise ConfigError(f"--data {text!r}: must be FILE or SYMBOL=FILE")
    source = {"symbol": symbol, "file": file, "period": given.period}
    return {key: value for key, value in source.items() if value is not None}


def _set_params(strategies: list[dict[str, Any]], given: list[str]) -> None:
    import yaml

    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ConfigError(f"--param {text!r}: must be NAME=VALUE, such as fast=10")
        label, _, name = key.rpartition(".")
        if not strategies:
            raise ConfigError(f"--param {text!r}: there is no strategy that it could belong to")
        chosen = [s for s in strategies if label in ("", s.get("as") or s["name"])]
        owners = [s for s in chosen if name in _names(s["name"])] if len(chosen) > 1 else chosen
        if chosen and not owners:
            known = {other for s in chosen for other in _names(s["name"])}
            raise NotFoundError("parameter of --param", name, known)
        if not owners:
            labels = ", ".join(s.get("as") or s["name"] for s in strategies)
            raise ConfigError(f"--param {text!r}: no strategy of {labels} has it")
        try:
            read = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ConfigError(f"--param {text!r}: {value!r} is no YAML value") from None
        for owner in owners:
            owner["params"] = {**owner.get("params", {}), name: read}


def _names(strategy: str) -> list[str]:
    from intrabar.strategy.registry import BOT_PARAMETERS, find, parameter_names

    made = find(strategy)
    own = parameter_names(made) if callable(made) else []
    return [*own, *BOT_PARAMETERS] if hasattr(made, "decide_side") else own
