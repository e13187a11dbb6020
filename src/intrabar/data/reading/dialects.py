"""The sentences of the readers, which name options of the import, in other words.

A Python call is answered in arguments, a configuration in its keys.
"""

from __future__ import annotations

import re

_QUOTED = r"'[^']*'|\"[^\"]*\"|[\w/+\-.%*]+"
_OPTIONS = re.compile(
    rf"--(?P<pair>only|map) (?:\"(?P<long>[^\"]*)\"|(?P<short>[^\s=]+=[^\s;,)]*)(?:,\w+=[\w.]*)*)"
    rf"|--columns (?P<names>\w+,[\w,\-]+\w)"
    rf"|--decimal (?P<sign>[.,])"
    rf"|--(?P<name>[a-z]+(?:-[a-z]+)?)"
    rf"(?: (?!names |too|finds |for |or )(?P<one>{_QUOTED}))?"
)
_FLAGS = ("sort",)
_OF_A_RUN = ("zone", "calendar", "period", "symbol")
"""What a run takes too: `backtest(..., zone="UTC")`, `intrabar backtest --zone UTC`."""


def in_python(text: str, symbol: str) -> str:
    """A sentence in the words of a Python call on a frame."""
    text = text.replace("puts them in order", "puts them in order, as frame.sort_index() does")
    made, names = _said(text, _argument)
    if names <= {*_OF_A_RUN}:
        return made
    call = f"ib.bars_from_frame(frame, {symbol!r}, {', '.join(f'{n}=...' for n in sorted(names))})"
    return f"{made}. Bars made by {call} are taken as data too"


def in_configuration(text: str, beside: str) -> str:
    """A sentence in the words of a configuration, and the place that it means."""
    made, names = _said(text, _key)
    return f"{made}. Say it beside the file: {beside}" if names else made


def in_arguments(text: str) -> str:
    """A sentence in the arguments of `bars_from_frame`."""
    return _said(text, _argument)[0]


def in_keys(text: str) -> str:
    """A sentence in the keys of a configuration."""
    return _said(text, _key)[0]


def _said(text: str, form: object) -> tuple[str, set[str]]:
    names: set[str] = set()

    def instead(match: re.Match[str]) -> str:
        name, value = _parts(match)
        names.add(name)
        return form(name, value)  # type: ignore[operator, no-any-return]

    return _OPTIONS.sub(instead, text), names


def _parts(match: re.Match[str]) -> tuple[str, object]:
    if match["pair"]:
        key, _, value = (match["long"] or match["short"]).partition("=")
        return "columns" if match["pair"] == "map" else match["pair"], {key: value}
    if match["names"]:
        return "columns", match["names"].split(",")
    if match["sign"]:
        return "decimal", match["sign"]
    name = match["name"].replace("-", "_").replace("map", "columns")
    if name in _FLAGS:
        rest = f" {match['one']}" if match["one"] else ""
        return name, _Flag(rest)
    return name, (match["one"] or "").strip("'\"") or None


class _Flag(str):
    """True, and the word behind it, which is none of its own."""


def _argument(name: str, value: object) -> str:
    if isinstance(value, _Flag):
        return f"{name}=True{value}"
    if name == "scale":
        return f"scale={value}"
    return name if value is None else f"{name}={value!r}"


def _key(name: str, value: object) -> str:
    if isinstance(value, _Flag):
        return f"'{name}: true'{value}"
    if value is None:
        return name
    if isinstance(value, dict):
        return f"'{name}: {{{', '.join(f'{_yaml(k)}: {_yaml(v)}' for k, v in value.items())}}}'"
    if isinstance(value, list):
        return f"'{name}: [{', '.join(value)}]'"
    return f"'{name}: {_yaml(str(value))}'"


def _yaml(text: str) -> str:
    return text if re.fullmatch(r"[\w/+\-.]*\w|\.+", text) else f'"{text}"'
