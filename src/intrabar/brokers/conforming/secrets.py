"""Credentials stand in nothing that is said, told, raised, shown or logged."""

from __future__ import annotations

import contextlib
import logging

from intrabar.brokers.conforming.scene import Scene
from intrabar.errors import IntrabarError

FAULTS = ("500", "garbage", "drop", "lose_answer", "expire_token", "second_login")


async def no_credential_is_shown(scene: Scene) -> None:
    """Not by itself, and not in what it says while everything goes wrong."""
    said: list[str] = [repr(scene.broker), str(scene.broker)]
    records: list[logging.LogRecord] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    handler = Keeping(level=0)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        for fault in FAULTS:
            for kind in ("token", "submit", "replace", "cancel", "find", "look"):
                scene.stage.fault(kind, fault)
            await _ask(scene, said)
            await scene.stage.cut()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    said += [repr(x) for x in (*scene.facts, *scene.outcomes)]
    said += [record.getMessage() for record in records if record.name.startswith("intrabar")]
    for secret in scene.stage.secrets:
        assert not [text for text in said if secret in text]


async def _ask(scene: Scene, said: list[str]) -> None:
    request = scene.request()
    await scene.submit(request)
    ref = scene.ref(request)
    await scene.replace(ref, limit_price=scene.stage.price - 12.0)
    await scene.cancel(ref)
    for call in (scene.broker.find(ref), scene.broker.snapshot(0)):
        with contextlib.suppress(IntrabarError):
            try:
                await scene.within(call, "a read")
            except IntrabarError as error:
                said += [str(error), repr(error), repr(error.__cause__), repr(error.__context__)]
