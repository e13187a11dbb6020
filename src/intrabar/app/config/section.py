"""A part of a configuration file."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError


def refused(why: object) -> PydanticCustomError:
    """A mistake in a value in our own words, without its place, which pydantic knows."""
    return PydanticCustomError("refused", "{why}", {"why": str(why).strip()})


class Section(BaseModel):
    """A part of the file: unknown keys are refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth(cls, given: Any, about: ValidationInfo) -> Any:
        """A number is never true or false, which would be taken for 1 and 0."""
        kind = str(cls.model_fields[str(about.field_name)].annotation)
        if isinstance(given, bool) and ("int" in kind or "float" in kind):
            raise refused(f"is {given}, must be a number")
        return given
