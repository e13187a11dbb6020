"""Scenario files: one JSON object, or JSON Lines, read with the place of every mistake."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from intrabar.engine.scenario.format import check_scenario
from intrabar.errors import ConfigError, UsageError


def parse_scenarios(text: str, source: str) -> list[tuple[int, dict[str, Any]]]:
    """Read one JSON object, or JSON Lines.

    Parameters
    ----------
    text : str
        What the file holds.
    source : str
        Its name, for messages.

    Returns
    -------
    list of (line number, scenario)
        Checked; in the order of the file.

    Raises
    ------
    ConfigError
        The text is not JSON or not a scenario; the message names the line and the place.
    """
    lines = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise ConfigError(f"{source}: empty; a scenario is one JSON object")
    try:
        json.loads(lines[0][1])
    except (ValueError, RecursionError):
        lines = [(1, text)]  # one object over several lines, or no JSON at all
    found = []
    for number, line in lines:
        scenario = _parse(line, number, source)
        try:
            check_scenario(scenario)
        except UsageError as error:
            raise ConfigError(f"{source}:{number}: {error}") from None
        found.append((number, scenario))
    return found


def _parse(text: str, number: int, source: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        place = f"{source}:{number + error.lineno - 1}:{error.colno}"
        if error.msg == "Extra data":
            hint = "something follows the object; write one scenario a line"
        else:
            hint = f"not JSON: {error.msg}"
        raise ConfigError(f"{place}: {hint}") from None
    except ConfigError as error:
        raise ConfigError(f"{source}:{number}: {error}") from None
    except RecursionError:
        raise ConfigError(f"{source}:{number}: nested too deeply for a scenario") from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        name = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ConfigError(f"key {name!r} stands twice in one object; remove one")
    return made


def _no_constant(word: str) -> float:
    raise ConfigError(f"{word} is not a number that JSON knows; write null where there is none")
