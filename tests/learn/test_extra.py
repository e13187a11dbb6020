"""What is said where the extra `ml` is not installed."""

from __future__ import annotations

import pytest

from intrabar.errors import UsageError
from intrabar.learn import extra


def test_what_is_missing_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    extra.require_ml()
    monkeypatch.setattr(extra, "find_spec", lambda name: None if name == "torch" else name)
    with pytest.raises(UsageError, match=r"^learning needs torch: pip install 'intrabar\[ml\]'$"):
        extra.require_ml()


def test_a_finder_that_refuses_modules_has_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(extra, "find_spec", refuse)
    with pytest.raises(UsageError, match=r"^learning needs torch, stable_baselines3"):
        extra.require_ml()
