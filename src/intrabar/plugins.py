"""What is found by its name: ours, and what other packages offer as entry points.

One table for each group, `intrabar.strategies`, `.exits`, `.indicators`, `.readers`, `.sources`,
`.brokers` and `.notifiers`. Nothing is imported before it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar, cast

from intrabar.errors import ConfigError, MissingExtra, NotFoundError, at_fault

T = TypeVar("T")


class Table(Generic[T]):
    """The things of one kind, by name.

    Parameters
    ----------
    what : str
        What one of them is called in messages: "strategy", "source".
    group : str
        Of the entry points of other packages: "intrabar.sources".
    own : {name: thing, or "module:name", or "module:name [extra]"}
        Ours, which go before another package's of the same name; what is imported from a module
        may need an extra of Intrabar.
    """

    def __init__(self, what: str, group: str, own: Mapping[str, T | str]) -> None:
        self.what, self.group = what, group
        self._own = dict(own)

    def names(self) -> list[str]:
        """All names, ours first."""
        return list(dict.fromkeys([*self._own, *(p.name for p in sorted(self._offered()))]))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self.names()

    def load(self, name: str, what: str = "") -> T:
        """What is behind a name.

        Parameters
        ----------
        name : str
        what : str
            What messages call it, where that is not `self.what`.

        Raises
        ------
        NotFoundError
            There is no such name; the message has the nearest.
        ConfigError
            Two packages offer it, or the one that does cannot be imported.
        MissingExtra
            It is ours, and needs packages that are not installed.
        """
        if name in self._own:
            return self._of_ours(name)
        found = [point for point in self._offered() if point.name == name]
        if not found:
            raise NotFoundError(what or self.what, name, self.names())
        if len(found) > 1:
            packages = " and ".join(sorted(_package(point) for point in found))
            raise ConfigError(
                f"{self.what} {name!r} is offered by {packages}; uninstall all but one of them, or "
                "rename it in its entry point"
            )
        try:
            return cast(T, found[0].load())
        except Exception as e:
            raise ConfigError(
                f"{self.what} {name!r} of {_package(found[0])} cannot be imported: {at_fault(e)}"
            ) from e

    def _of_ours(self, name: str) -> T:
        one = self._own[name]
        if not isinstance(one, str):
            return one
        point = EntryPoint(name, one, self.group)
        try:
            return cast(T, point.load())
        except ModuleNotFoundError as e:
            if not point.extras or (e.name or "").partition(".")[0] == "intrabar":
                raise
            raise MissingExtra(f"the {self.what} {name}", point.extras[0]) from None

    def _offered(self) -> Any:
        return entry_points(group=self.group)


def _package(point: EntryPoint) -> str:
    return f"the package {point.dist.name}" if point.dist is not None else point.value
