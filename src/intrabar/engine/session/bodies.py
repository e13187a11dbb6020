"""Structs as bodies of a journal, and back: exact, and without what says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any, TypeVar

import msgspec

from intrabar.model.entry import in_json

T = TypeVar("T", bound=msgspec.Struct)


def in_body(value: Any) -> Any:
    """A struct as JSON has it: fields that stand at their defaults are left out, floats exact."""
    if isinstance(value, msgspec.Struct):
        return {
            field.name: in_body(own)
            for field in _fields(type(value))
            if not _unsaid(own := getattr(value, field.name), field)
        }
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return in_json(value)
    if isinstance(value, Mapping):
        return {key: in_body(inner) for key, inner in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [in_body(inner) for inner in value]
    return value


def body_from(body: Any, kind: type[T]) -> T:
    """The struct of a body."""
    return msgspec.convert(body, kind, strict=False)


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)


def _unsaid(value: Any, field: msgspec.structs.FieldInfo) -> bool:
    if field.default is not msgspec.NODEFAULT:
        return bool(value == field.default or (value != value and field.default != field.default))
    if field.default_factory is not msgspec.NODEFAULT:
        return bool(value == field.default_factory())
    return False
