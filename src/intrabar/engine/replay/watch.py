"""Who watches a replay, and is told its events."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from intrabar.model.event import Event

Subscriber = Callable[[Event], None]


class Watch:
    """The subscribers of a replay, in the order in which they came."""

    def __init__(self) -> None:
        self._subscribers: list[Subscriber] = []

    def __bool__(self) -> bool:
        return bool(self._subscribers)

    def join(self, subscriber: Subscriber) -> Callable[[], None]:
        """Tell a subscriber every event from now on; what is returned ends it."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def tell(self, events: Sequence[Event]) -> None:
        """Deliver events to all subscribers; raise what the first of them raised, after that."""
        raised: Exception | None = None
        for event in events:
            for subscriber in tuple(self._subscribers):
                try:
                    subscriber(event)
                except Exception as e:
                    e.add_note(f"raised by a subscriber of the replay at {event}")
                    raised = raised or e
        if raised is not None:
            raise raised
