"""Exits that learn: datasets of single campaigns, and what is trained on them.

`ib.learn.dataset` and its like read configurations; they are loaded when they are first used.
"""

from __future__ import annotations

from typing import Any

_HOME_OF = {
    "bandit": "app.calls.bandit",
    "dataset": "app.calls.learn",
    "windows": "app.calls.train",
    "lstm": "app.calls.train",
    "adopt": "app.calls.adopt",
    "ppo": "app.calls.train_ppo",
    "compare": "app.calls.compare",
    "score": "app.calls.score",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'intrabar.learn' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"intrabar.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return [*_HOME_OF]
