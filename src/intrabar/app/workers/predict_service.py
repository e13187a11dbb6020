"""Predictions over HTTP: `POST /predict`, by the code that writes files and predicts in sessions.

A request has the symbol and its bars, or windows; the answer has the columns of a file of
predictions for the last bar, or a row for each window. What cannot be answered is 422, and why.
"""

from __future__ import annotations

import errno
import json
import socket
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import polars as pl

from intrabar.app.compose.recipe import Recipe
from intrabar.app.workers.http_server import HOST, LOCAL, Server, is_of_here, send
from intrabar.data.stamps import parse_stamps, to_utc
from intrabar.errors import ConfigError, IntrabarError, UsageError
from intrabar.learn.model import newest
from intrabar.learn.predicting import UTC_TIME, predictions, quantile_name
from intrabar.learn.registry import Registry
from intrabar.learn.samples import market_samples
from intrabar.learn.session import registered_models
from intrabar.model.instant import instant_text
from intrabar.model.secret import redact
from intrabar.model.values import shown
from intrabar.model.values import text as text_of

PORT = 9470
MOST_BYTES = 64 * 1024**2
OF_BARS = {"symbol", "bars", "calendar", "zone", "period"}
OF_WINDOWS = {"symbol", "windows", "time", "close", "unit"}

Answer = tuple[int, dict[str, Any]]


class Answers:
    """What the models of a registry say of requests, one at a time.

    Parameters
    ----------
    folder : Path
        `models/registry/NAME`.

    Raises
    ------
    FileError, RunError
        It holds no model, or one that was changed.
    """

    def __init__(self, folder: Path) -> None:
        self._registry = Registry(folder)
        self._registry.models(self._registry.home)  # what is wrong is told before anybody asks
        self._models = registered_models(self._registry, self._registry.home)
        self._lock = threading.Lock()

    def answer(self, body: bytes) -> Answer:
        """Status and content of the answer to a request; what fails in it is answered too."""
        try:
            asked = _mapping(body)
            with self._lock:  # one thread: libraries choose kernels by how many there are
                rows = self._of_bars(asked) if "bars" in asked else self._of_windows(asked)
            return 200, {"predictions": rows}
        except IntrabarError as error:
            return 422, {"why": str(error).splitlines()}
        except Exception as error:  # a bug: a thread of the server has nobody else to tell
            return 500, {"why": [f"a bug: {type(error).__name__}: {redact(str(error))}"]}

    def ready(self) -> Answer:
        """Whether there are models."""
        try:
            with self._lock:
                last = self._models()[-1]
        except (IntrabarError, OSError, IndexError) as error:
            return 503, {"ready": False, "why": [str(error)]}
        return 200, {"ready": True, "trained_until": instant_text(last.trained_until)}

    def _of_bars(self, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        _known(asked, OF_BARS)
        symbol = text_of("symbol", asked.get("symbol"))
        bars = asked["bars"]
        if not isinstance(bars, list) or not bars or not all(isinstance(x, dict) for x in bars):
            raise UsageError("bars: must be a list of {time, open, high, low, close, volume}")
        try:
            frame = pl.DataFrame(bars, infer_schema_length=None)
        except pl.exceptions.PolarsError as error:
            raise UsageError(f"bars: {error}") from None
        given: Any = {x: asked[x] for x in ("calendar", "zone", "period") if x in asked}
        base = Recipe.of_call({}, {symbol: frame}, given).traded_market()
        models = self._models()
        features, horizons = models[0].features, models[0].forecaster.horizons
        calendars = [x.calendar for x in base.instruments]
        samples = market_samples(base.market, calendars, features, features.window, horizons)
        last = samples.last()
        if not len(last) or int(last.time[-1]) < int(base.market.time[-1]):
            raise UsageError(
                f"bars: {len(base.market)} are not enough for a window of {features.window} at the "
                f"last of them; {features.rows} at least are needed"
            )
        said = predictions(last, models, self._registry.name)
        return _rows(said.drop("ridge", "drift", "made_at", strict=False))

    def _of_windows(self, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        _known(asked, OF_WINDOWS)
        symbol = text_of("symbol", asked.get("symbol"))
        models = self._models()
        features = models[0].features
        width = 5 if models[0].forecaster.needs == "bars" else len(features.features)
        windows = _numbers("windows", asked.get("windows"), 3)
        if windows.shape[1:] != (features.window, width):
            raise UsageError(
                f"windows: have the shape {windows.shape}, must be (n, {features.window}, {width})"
            )
        close, unit = (_numbers(x, asked.get(x), 1) for x in ("close", "unit"))
        time = _instants(asked.get("time"))
        if not len(windows) == len(close) == len(unit) == len(time):
            raise UsageError(
                f"windows, close, unit, time: there are {len(windows)}, {len(close)}, {len(unit)} "
                f"and {len(time)}; must be one of each per window"
            )
        rows = []
        for k, place in enumerate(newest(models, time).tolist()):
            if place < 0:
                raise UsageError(
                    f"time[{k}]: {instant_text(int(time[k]))} is before the first model may "
                    f"predict; it is trained until {instant_text(models[0].trained_until)}"
                )
            one = models[place]
            said = one.returns(windows[k : k + 1], close[k : k + 1], unit[k : k + 1])[0]
            rows += _of_outputs(one, said, symbol, time[k], close[k], self._registry.name)
        return rows


def _of_outputs(
    model: Any, said: Any, symbol: str, time: Any, close: Any, registry: str
) -> list[dict[str, Any]]:
    made: dict[int, dict[str, Any]] = {}
    for output, value in zip(model.forecaster.outputs, said.tolist(), strict=True):
        row = made.setdefault(
            output.horizon,
            {"Time": instant_text(int(time)), "symbol": symbol, "horizon": output.horizon},
        )
        known = value if np.isfinite(value) else None
        if output.quantile is None:
            row["predicted_price"] = None if known is None else float(close * (1.0 + known))
            row["predicted_return"] = known
        else:
            row[quantile_name(output.quantile)] = known
    told = {
        "model": f"{registry} {model.hash[:12]}",
        "trained_until": instant_text(model.trained_until),
    }
    return [row | told for row in made.values()]


def _rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    times = [x for x in ("Time", "trained_until") if frame[x].dtype == UTC_TIME]
    text = {x: [instant_text(t) for t in frame[x].dt.epoch("ns").to_list()] for x in times}
    return [{**row, **{x: text[x][k] for x in times}} for k, row in enumerate(frame.to_dicts())]


def _mapping(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the request is no JSON: {error}") from None
    if not isinstance(asked, dict) or ("bars" in asked) == ("windows" in asked):
        raise UsageError(
            "the request must be {symbol, bars} or {symbol, windows, time, close, unit}"
        )
    return asked


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


def _known(asked: Mapping[str, Any], names: set[str]) -> None:
    if unknown := sorted(set(asked) - names):
        raise UsageError(f"unknown {', '.join(unknown)}; known: {', '.join(sorted(names))}")


def _numbers(name: str, given: Any, depth: int) -> Any:
    try:
        made = np.array(given, np.float64)
    except (TypeError, ValueError):
        made = np.zeros(0)
    if made.ndim != depth or not made.size or not np.isfinite(made).all():
        raise UsageError(f"{name}: is {shown(given)}, must be numbers in {depth} dimensions")
    return made


def _instants(given: Any) -> Any:
    if not isinstance(given, list) or not all(isinstance(x, str) for x in given) or not given:
        raise UsageError(f"time: is {shown(given)}, must be a list of times of closes, with a zone")
    stamps = parse_stamps(pl.Series("time", given))
    if not (stamps.readable & stamps.aware).all():
        at = int(np.argmin(stamps.readable & stamps.aware))
        raise UsageError(f"time[{at}]: is {shown(given[at])}, must be a time with a zone")
    return to_utc(stamps, "UTC", np.arange(len(given)))


class PredictService:
    """The server, in threads of its own.

    Parameters
    ----------
    answers : Answers
    host : str
    port : int
        0: a free one (`port` says which).

    Raises
    ------
    ConfigError
        The port is taken, or the host is no IPv4 address of this machine.
    """

    def __init__(self, answers: Answers, host: str = HOST, port: int = PORT) -> None:
        try:
            self._server = Server((host, port), _handler(answers, host))
        except (OSError, OverflowError, UnicodeError) as error:
            if _is_of_host(error):
                raise ConfigError(
                    f"--host: {host} is no IPv4 address of this machine ({error}); write {HOST}, "
                    "or 0.0.0.0 for all that it has"
                ) from None
            raise ConfigError(
                f"--port: {host}:{port} cannot be had ({error}); write another one, or 0"
            ) from None
        self.port = int(self._server.server_address[1])

    def serve(self) -> None:
        """Answer until `close`."""
        self._server.serve_forever(0.1)

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


def _is_of_host(error: Exception) -> bool:
    """Whether a name has no address, or one of another machine."""
    is_name = isinstance(error, socket.gaierror | UnicodeError)
    return is_name or getattr(error, "errno", None) == errno.EADDRNOTAVAIL


def _handler(answers: Answers, host: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 30.0  # for who connects and says nothing

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path in ("/readyz", "/health"):
                self._tell(*answers.ready())
            elif path == "/healthz":
                self._tell(200, {"alive": True})
            else:
                self._tell(404, {"why": ["there are POST /predict, GET /healthz and /readyz"]})

        def do_POST(self) -> None:
            if host in LOCAL and not is_of_here(self):
                self._tell(403, {"why": ["this is for this machine alone; --host opens it"]})
                return
            if urlsplit(self.path).path != "/predict":
                self.do_GET()
                return
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > MOST_BYTES:
                why = f"Content-Length is {length!r}, must be bytes, at most {MOST_BYTES:,}"
                self._tell(422, {"why": [why]})
                return
            self._tell(*answers.answer(self.rfile.read(int(length))))

        def _tell(self, status: int, content: dict[str, Any]) -> None:
            text = json.dumps(content, allow_nan=False).encode() + b"\n"
            send(self, status, "application/json", text)

        def log_message(self, *_: object) -> None:
            """A request is no event."""

    return Handler
