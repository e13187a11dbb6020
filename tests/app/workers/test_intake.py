"""What comes to a session: persons before bars, and an end that nothing holds up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from intrabar.app.workers.intake import NO_MORE_BARS, WAITING, Asked, End, Intake
from intrabar.errors import LinkError, NotFoundError, StateError
from intrabar.links.simulated_time import run
from intrabar.model.facts import Fact, LinkFact

UP = LinkFact("up")


async def facts(count: int, error: Exception | None = None) -> AsyncIterator[Fact]:
    for _ in range(count):
        yield UP
    if error is not None:
        raise error


async def all_of(intake: Intake) -> list[Any]:
    """What comes, up to the end."""
    came: list[Any] = []
    while not came or not isinstance(came[-1], End):
        came.append(await intake.next(None))
    return came


def test_who_asks_does_not_wait_behind_a_full_queue() -> None:
    async def main() -> None:
        intake = Intake()
        listening = asyncio.create_task(intake.listen(facts(WAITING + 1)))
        await asyncio.sleep(1.0)
        assert len(intake) == WAITING
        asking = asyncio.create_task(intake.ask({"kind": "kill"}))
        await asyncio.sleep(0)
        intake.end(End("stopped by SIGTERM", cancels_entries=True))
        first, second = await intake.next(1.0), await intake.next(1.0)
        assert isinstance(first, Asked)
        assert first.body == {"kind": "kill"}
        first.answer.set_result([])
        assert await asking == []
        assert second == End("stopped by SIGTERM", cancels_entries=True)
        listening.cancel()

    run(main())


def test_bars_that_end_come_before_their_end() -> None:
    async def main() -> list[Any]:
        intake = Intake()
        await intake.listen(facts(3))
        return await all_of(intake)

    assert run(main()) == [UP, UP, UP, End(NO_MORE_BARS)]


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (NotFoundError("symbol", "AAPL", []), NotFoundError, "unknown symbol 'AAPL'"),
        (ZeroDivisionError("by zero"), LinkError, "ZeroDivisionError: by zero"),
    ],
)
def test_a_source_that_raises_ends_with_what_it_raised(
    error: Exception, kind: type[Exception], says: str
) -> None:
    async def main() -> list[Any]:
        intake = Intake()
        await intake.listen(facts(1, error))
        return await all_of(intake)

    end = run(main())[-1]
    assert type(end.error) is kind
    assert says in end.why
    assert not end.cancels_entries


def test_nothing_for_some_time_is_none() -> None:
    async def main() -> Any:
        return await Intake().next(30.0)

    assert run(main()) is None


def test_who_asks_too_late_is_told() -> None:
    async def main() -> None:
        intake = Intake()
        asking = asyncio.create_task(intake.ask({"kind": "kill"}))
        await asyncio.sleep(0)
        intake.close()
        for answer in (asking, intake.ask({"kind": "kill"})):
            with pytest.raises(StateError, match="has ended"):
                await answer

    run(main())
