"""Secrets: fetched by reference, shown to nobody, and taken out of every text.

A configuration holds a reference, never a value: `${NAME}` (the environment; of `NAME_FILE` the
file that it names) or `file:/path`. Each value that was fetched is known to `redact` from then on.
"""

from __future__ import annotations

import base64
import html
import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, quote_plus

from intrabar.errors import SecretError

HIDDEN = "***"
LARGEST = 64 * 1024  # bytes of a file that holds one secret
SHORTEST = 4  # characters; what is shorter stands in texts by chance
WAYS = "${NAME} (the environment, or a file that NAME_FILE names) or file:/path"
LATER = ("keyring:", "age:", "aws:")

_NAME = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(:-.*)?\}", re.DOTALL)
_BASE64 = 8  # characters of a base64 form below which it would hide other words
_forms: tuple[str, ...] = ()  # every form of every value that was fetched, the longest first
_bare: tuple[str, ...] = ()  # the same without backslashes

_SIGNS = (
    "bearer",
    "basic",
    "token",
    "secret",
    "passw",
    "api_",
    "api-",
    "apik",
    "apis",
    "authorization",
    "eyj",
)
_NAMED = (
    r"(?:access_|refresh_|id_)?token|(?:client_)?secret|passw(?:or)?d|api[_-]?key|api[_-]?secret"
)
_PATTERNS = (
    (re.compile(r"\b(bearer|basic)(\s+)[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1\2{HIDDEN}"),
    (
        re.compile(
            rf"\b({_NAMED})(\\?[\"']?\s*[=:]\s*\\?[\"']?)[^\s\"'\\&,;}}]{{4,}}", re.IGNORECASE
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*"), HIDDEN),
)


class Secret:
    """A value that nothing shows: `repr`, `str`, a format, JSON and pickle say `***`.

    Parameters
    ----------
    value : str
        What `redact` takes out of texts from now on.

    Raises
    ------
    SecretError
        It is so short that texts have it by chance.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if value != HIDDEN:
            if len(value) < SHORTEST:
                raise SecretError("a secret is too short to be kept out of texts; use a longer one")
            _remember(value)
        self._value = value

    def reveal(self) -> str:
        """The value, for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return HIDDEN

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (HIDDEN,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


def resolve(reference: str, place: str, environment: Mapping[str, str] | None = None) -> Secret:
    """Fetch what a reference names.

    Parameters
    ----------
    reference : str
        `${NAME}` or `file:/path`.
    place : str
        Where it stands, for the message: "config.yaml:12: live.sources[0].credentials.key".
    environment : mapping, optional
        Instead of the process's.

    Raises
    ------
    SecretError
        A literal, a default, or nothing behind it. The message never has the value.
    """
    named = _NAME.fullmatch(reference)
    if named is not None and named[2] is None:
        value = _from_environment(
            named[1], place, os.environ if environment is None else environment
        )
    elif named is not None:
        _refuse(place, f"${{{named[1]}:-...}} has a default, and a secret may have none")
    elif reference.startswith("file:"):
        value = in_file(Path(reference.removeprefix("file:")), place)
    elif reference.startswith(LATER):
        kind = reference.split(":", 1)[0]
        _refuse(place, f"{kind}: is no place for a secret in this version")
    else:
        _refuse(place, "a secret stands there itself, where a reference to it should")
    try:
        return Secret(value)
    except SecretError as error:
        raise SecretError(f"{place}: {error}") from None


def redact(text: str) -> str:
    """A text without any secret: `***` stands where one was.

    Known are the values that were fetched, also quoted for a URL, for JSON and HTML and in base64,
    and what looks like a key: `Bearer ...`, `api_key=...`, a JSON web token.
    """
    for form in _forms:
        if form in text:
            text = text.replace(form, HIDDEN)
    lower = text.lower()
    if any(sign in lower for sign in _SIGNS):
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
    return text


def redacted(value: Any) -> Any:
    """A JSON value whose texts, keys included, have no secret; numbers stay as they are."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Secret):
        return HIDDEN
    if isinstance(value, dict):
        return {redact(str(key)): redacted(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(inner) for inner in value]
    return value


def may_show(text: str) -> bool:
    """Whether a text has to be looked at by `redact`: quick, and never False for a secret."""
    lower = text.lower()
    if any(sign in lower for sign in _SIGNS):
        return True
    bare = text.replace("\\", "")  # however often it was escaped
    return any(form in bare for form in _bare)


def _refuse(place: str, why: str) -> NoReturn:
    raise SecretError(f"{place}: {why}; write {WAYS}")


def _from_environment(name: str, place: str, environment: Mapping[str, str]) -> str:
    file = f"{name}_FILE"
    if name in environment and file in environment:
        _refuse(place, f"{name} and {file} are both set, and only one may be")
    if file in environment:
        return in_file(Path(environment[file]), f"{place}: {file}")
    if name not in environment:
        _refuse(place, f"{name} is not set in the environment")
    if not environment[name]:
        _refuse(place, f"{name} is empty")
    return environment[name]


def in_file(path: Path, place: str) -> str:
    """The secret that a file holds alone, which `redact` does not know for that.

    Raises
    ------
    SecretError
        It is not there, is empty, or others than its owner can read it.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise SecretError(f"{place}: {path} is no file")
        if found.st_size > LARGEST:
            raise SecretError(f"{place}: {path} has more than 64 kB; a secret's file has it alone")
        mounted = path.resolve().is_relative_to("/run/secrets")
        if os.name == "posix" and found.st_mode & 0o077 and not mounted:
            raise SecretError(f"{place}: others than its owner can read {path}; chmod 600 {path}")
        value = path.read_bytes().decode()
    except OSError as error:
        raise SecretError(f"{place}: {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SecretError(f"{place}: {path} is no text in UTF-8") from None
    value = value.removesuffix("\n").removesuffix("\r")
    if not value:
        raise SecretError(f"{place}: {path} is empty")
    return value


def _remember(value: str) -> None:
    global _forms, _bare
    known = {*_forms, *_written(value)}
    for line in value.splitlines():  # a key of several lines is shown line by line
        if len(line) >= 16:
            known.update(_written(line))
    _forms = tuple(sorted(known, key=lambda form: (-len(form), form)))
    _bare = tuple(dict.fromkeys(form.replace("\\", "") for form in _forms))


def _written(value: str) -> set[str]:
    """The forms in which a value may stand in a text."""
    urls = {quote(value), quote(value, safe=""), quote_plus(value)}
    lower = {re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), url) for url in urls}
    texts = {value, html.escape(value)}
    for _ in range(2):  # a text in JSON is often in JSON again
        for text in tuple(texts):
            texts |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    return {*urls, *lower, *texts, *_in_base64(value.encode("utf-8", "surrogatepass"))}


def _in_base64(value: bytes) -> set[str]:
    """As base64, also within a longer text: what of it does not hang on its neighbours."""
    found = set()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        alone = encode(value).decode()
        found |= {alone, alone.rstrip("=")}
        for before in range(3):
            text = encode(b"\0" * before + value).decode()
            found.add(text[-(-before * 8 // 6) : (before + len(value)) * 8 // 6])
    return {form for form in found if len(form) >= _BASE64}
