"""From a YAML file to a configuration, and from a mistake in it to a sentence with its place."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from intrabar.app.config.live import SECRET
from intrabar.app.config.model import READER, Config, Source, StrategyConfig
from intrabar.app.config.older import File, Provider, Purpose, normal
from intrabar.errors import ConfigError
from intrabar.model import values
from intrabar.model.values import plain, shown

Model = TypeVar("Model", bound=BaseModel)

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")

EXPECTED = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping of names to values",
    "model_type": "a mapping of names to values",
    "dataclass_type": "a mapping of names to values",
    "model_attributes_type": "a mapping of names to values",
    "date_from_datetime_parsing": "a date such as 2020-01-31",
    "datetime_from_date_parsing": "a date such as 2020-01-31",
    "date_type": "a date such as 2020-01-31",
    "datetime_type": "a date such as 2020-01-31",
    "date_parsing": "a date such as 2020-01-31",
    "datetime_parsing": "a date such as 2020-01-31",
}


SCALARS = (("str", "string_"), ("int", "int_"), ("float", "float_"), ("bool", "bool_"))
"""What Pydantic calls a branch of a union, and how its kinds of errors begin."""


def read_config(path: Path | str, purpose: Purpose = "backtest") -> tuple[Config, list[str]]:
    """Read a configuration file.

    Parameters
    ----------
    path : path
    purpose : "backtest", "paper" or "live"

    Returns
    -------
    Config
        File names in it are absolute; secrets are the references that they were.
    list of str
        What the file asks for and is not done.

    Raises
    ------
    ConfigError
        The file is missing, is no YAML, or says something wrong; the message names the place.
    """
    path = Path(path)
    given = read_yaml(path)
    secrets = taken_out(given)
    try:
        given = expanded(given, str(path))
    except RecursionError:
        raise ConfigError(f"{path}: holds itself, or is nested too deeply") from None
    put_back(given, secrets)
    try:
        provider = None
        if isinstance(given.get("data"), dict):
            provider = validated(Provider, given.pop("data"), "data.")
        config, remarks = normal(validated(File, given), provider, purpose)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    return absolute(config, path.parent), remarks


def taken_out(given: dict[str, Any]) -> dict[str, Any]:
    """Take the references to secrets out of a file's mapping, by their places."""
    secrets = {}
    for place in SECRET:
        section, key = place.split(".")
        part = given.get(section)
        if isinstance(part, dict) and key in part:
            secrets[place] = part.pop(key)
    return secrets


def put_back(given: dict[str, Any], secrets: Mapping[str, Any]) -> None:
    """Put them back where they were."""
    for place, value in secrets.items():
        section, key = place.split(".")
        given[section][key] = value


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file."""
    import yaml

    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file; name a configuration, or start from the one of `intrabar demo`"
        ) from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: a folder; name a configuration file in it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        _once(path, yaml.compose(text, Loader=loader))
        given = yaml.load(text, Loader=loader)
    except RecursionError:
        raise ConfigError(f"{path}: holds itself, or is nested too deeply") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"{path}{where}: no YAML: {problem}") from None
    if not isinstance(given, dict):
        raise ConfigError(f"{path}: holds no mapping of names to values")
    return given


def _once(path: Path, node: Any) -> None:
    """Refuse a key that is there twice: YAML would take the later one, and say nothing."""
    if node is None or isinstance(node.value, str):
        return
    seen: set[str] = set()
    for part in node.value:
        key, value = part if isinstance(part, tuple) else (None, part)
        if key is not None and isinstance(key.value, str):
            if key.value in seen:
                line = key.start_mark.line + 1
                raise ConfigError(f"{path}:{line}: the key {key.value!r} is there twice")
            seen.add(key.value)
        _once(path, value)


def expanded(given: Any, path: str, place: str = "") -> Any:
    """`${NAME}` and `${NAME:-default}` replaced by the environment's values, at any depth."""
    if isinstance(given, dict):
        return {k: expanded(v, path, f"{place}.{k}" if place else str(k)) for k, v in given.items()}
    if isinstance(given, list):
        return [expanded(v, path, f"{place}[{i}]") for i, v in enumerate(given)]
    if not isinstance(given, str) or "${" not in given:
        return given

    def value(match: re.Match[str]) -> str:
        name, default = match[1], match[2]
        found = os.environ.get(name, default)
        if found is None:
            raise ConfigError(
                f"{path}: {place}: the environment variable {name} is not set; set it, "
                f"or give a default: ${{{name}:-value}}"
            )
        return found

    return VARIABLE.sub(value, given)


def validated(model: type[Model], given: Mapping[str, Any], place: str = "") -> Model:
    """Check a mapping; every mistake in it is one line of the error."""
    try:
        return model.model_validate(plain(given))
    except RecursionError:
        raise ConfigError(f"{place.rstrip('.') or 'config'}: holds itself") from None
    except ValidationError as error:
        lines = [place + x for x in _sentences(model, error.errors())]
        raise ConfigError("\n".join(dict.fromkeys(lines))) from None


PATHS_OF_EXIT = ("policy", "arms", "state")
"""What a learned exit reads; arms that are numbers are no path."""


def absolute(config: Config, folder: Path) -> Config:
    """The same configuration with absolute paths of the files and folders that it reads."""

    def whole(path: str) -> str:
        return str((folder / values.path("config: a file", path).expanduser()).resolve())

    def placed(source: Source) -> Source:
        keys = ("file", "catalogue", "actions", "margins", "detail")
        found: dict[str, Any] = {key: whole(v) for key in keys if (v := getattr(source, key))}
        contracts = {name: file and whole(file) for name, file in source.contracts.items()}
        return source.model_copy(update={**found, "contracts": contracts})

    def found(one: StrategyConfig) -> StrategyConfig:
        params = dict(one.params)
        if one.name == READER:
            params["file"] = whole(str(params.get("file", "")))
        predictions = params.get("predictions")
        if isinstance(predictions, str):
            params["predictions"] = whole(predictions)
        elif isinstance(predictions, dict) and isinstance(predictions.get("file"), str):
            params["predictions"] = {**predictions, "file": whole(predictions["file"])}
        exit_ = params.get("exit")
        if isinstance(exit_, dict):
            own = {k: whole(exit_[k]) for k in PATHS_OF_EXIT if isinstance(exit_.get(k), str)}
            params["exit"] = {**exit_, **own}
        return one.model_copy(update={"params": params})

    truth = None
    if config.calibrated:
        truth = str((folder / values.path("calibrated:", config.calibrated).expanduser()).resolve())
    return config.model_copy(
        update={
            "data": [placed(source) for source in config.data],
            "rates": [placed(source) for source in config.rates],
            "strategies": [found(one) for one in config.strategies],
            "calibrated": truth,
        }
    )


def with_catalogue(config: Config) -> Config:
    """The same configuration with the catalogue named for the symbols that have no other data."""
    root = str(Path(os.environ.get("INTRABAR_CATALOGUE") or "catalogue").resolve())

    def named(source: Source) -> Source:
        if source.file or source.sample or source.catalogue:
            return source
        return source.model_copy(update={"catalogue": root})

    data = config.data or [Source(symbol=symbol) for symbol in config.symbols]
    return config.model_copy(
        update={"data": [named(s) for s in data], "rates": [named(s) for s in config.rates]}
    )


def _sentences(model: type[BaseModel], errors: Sequence[Any]) -> list[str]:
    """One for each place: of a union what each of its branches expects, or what is inside one."""
    found: dict[str, list[str]] = {}
    places = [place_of(_shown_of(e)) for e in errors]
    for place, error in zip(places, errors, strict=True):
        deeper = any(x != place and re.match(re.escape(place) + r"[.\[]", x) for x in places)
        if not (deeper and len(_shown_of(error)) < len(error["loc"])):
            text, _, expected = _sentence(model, error).partition(", must be ")
            found.setdefault(text, []).append(expected)
    told = {text: " or ".join(dict.fromkeys(x for x in each if x)) for text, each in found.items()}
    return [f"{text}, must be {expected}" if expected else text for text, expected in told.items()]


def _sentence(model: type[BaseModel], error: Any) -> str:
    loc = _shown_of(error)
    place = place_of(loc)
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        known = _keys_at(model, loc[:-1])
        near = get_close_matches(str(loc[-1]), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else "known: " + ", ".join(sorted(known))
        return f"{place}: unknown key; {hint}"
    if kind == "missing":
        return f"{place}: is missing"
    if kind == "refused":
        return f"{place}: {error['msg']}"
    value = error["input"]
    expected = EXPECTED.get(kind)
    if kind == "literal_error":
        expected = "one of " + context["expected"]
    elif kind in ("greater_than", "greater_than_equal", "less_than", "less_than_equal"):
        words = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
        expected = " and ".join(f"{words[k]} {v:g}" for k, v in context.items())
    return f"{place}: is {shown(value)}, must be {expected or error['msg']}"


def _shown_of(error: Any) -> list[Any]:
    """A place without the branches of unions, which Pydantic names in it: a person knows none."""
    *rest, last = error["loc"] or ("",)
    kind = error["type"]
    of_last = isinstance(last, str) and (
        any(last == name and kind.startswith(start) for name, start in SCALARS) or _is_branch(last)
    )
    return [x for x in (*rest, *(() if of_last else (last,))) if not _is_branch(x)]


def _is_branch(part: Any) -> bool:
    is_text = isinstance(part, str)
    return is_text and (part in ("date", "datetime") or bool(re.match(r"(list|dict)\[.*\]$", part)))


def place_of(loc: list[Any]) -> str:
    """A place as people write it: `strategies[1].params.fast`."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _keys_at(model: type[BaseModel], loc: list[Any]) -> list[str]:
    """Names that a section may hold, found by walking the models."""
    here: Any = model
    for part in loc:
        if isinstance(part, int):
            continue
        field = next(
            (f for n, f in here.model_fields.items() if part in (n, f.serialization_alias)), None
        )
        here = _section_in(field.annotation) if field else None
        if here is None:
            return []
    return [f.serialization_alias or name for name, f in here.model_fields.items()]


def _section_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        if (found := _section_in(inner)) is not None:
            return found
    return None
