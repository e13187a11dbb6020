"""Asks for predictions, and waits no longer than it may."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future

from intrabar.app.workers.one_thread import OneThread
from intrabar.engine.session.predicting import Predictor, Told, nothing
from intrabar.engine.session.row import ClosedRow
from intrabar.indicators.given import Request

TIMEOUT = 10.0  # real seconds
PAUSE = 0.2  # seconds between two looks whether a person asks for something


class Asking:
    """Predictions of the rows that come, in a thread of their own.

    A prediction that comes too late is none; the row after it is asked for all the same.

    Parameters
    ----------
    predictor : Predictor
    requests : tuple of Request
    symbols : sequence of str
    timeout : float
        Seconds.
    """

    def __init__(
        self,
        predictor: Predictor,
        requests: tuple[Request, ...],
        symbols: Sequence[str],
        timeout: float = TIMEOUT,
    ) -> None:
        self._predictor, self._requests, self._symbols = predictor, requests, tuple(symbols)
        self._timeout = timeout
        self._thread = OneThread("predictions")
        self._late: list[Future[list[Told]]] = []

    def ask(self, row: ClosedRow, is_heard: bool) -> list[Told]:
        """The events of a row; of one that the journal has them of already, none.

        Parameters
        ----------
        row : ClosedRow
        is_heard : bool
            It was predicted before the session ended: no model is called again.
        """
        if is_heard:
            self._thread.submit(self._predictor.resume, [row], {})
            return []
        is_late = any(not one.done() for one in self._late)
        told = [x for one in self._late if one.done() for x in _models(one)]
        self._late = [one for one in self._late if not one.done()]
        future = self._thread.submit(self._predictor.row, row)
        try:
            now: list[Told] = future.result(0.0 if is_late else self._timeout)
            return told + now
        except TimeoutError:
            self._late.append(future)
            why = "the one before has not come yet" if is_late else f"none in {self._timeout:g} s"
        except Exception as error:  # of a model, which is no reason for a session to end
            why = f"{type(error).__name__}: {error}"
        return told + [nothing(x, self._symbols, row, why, fails=True) for x in self._requests]

    def close(self) -> None:
        """Wait for nobody."""
        self._thread.shutdown()


def _models(late: Future[list[Told]]) -> list[Told]:
    """Changes of model that came with a prediction that was too late."""
    return [] if late.exception() else [x for x in late.result() if x[0] == "model"]


async def answered(
    ask: Ask, row: ClosedRow, is_heard: bool, goes_on: Callable[[], Awaitable[bool]]
) -> list[Told] | None:
    """What is asked for, while persons are heard; None where the session ends meanwhile.

    Parameters
    ----------
    ask : callable
    row : ClosedRow
    is_heard : bool
    goes_on : callable
        Does what persons ask for; whether the session does not end.
    """
    asked = asyncio.get_running_loop().run_in_executor(None, ask, row, is_heard)
    while not (await asyncio.wait({asked}, timeout=PAUSE))[0]:
        if not await goes_on():
            return None
    return asked.result()


Ask = Callable[[ClosedRow, bool], list[Told]]
"""As `Asking.ask`."""
