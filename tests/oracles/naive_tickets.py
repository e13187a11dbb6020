"""The life of an order at a broker, once more and slowly: if after if, in fractions.

Written from `live` 3.3 alone. It keeps every fact that it was told and works the rest out of them.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

NAN = float("nan")
ENDS = ("filled", "cancelled", "expired", "rejected", "lost")


def exact(x: float) -> Fraction:
    return Fraction(round(x * 1_000_000), 1_000_000)


class NaiveOrder:
    def __init__(self, qty: float, state: str = "sent") -> None:
        self.qty = exact(qty)
        self.state = state
        self.named: dict[str, list[Any]] = {}  # id -> quantity, price, version
        self.held: set[str] = set()  # ids that were beyond the total
        self.position = Fraction(0)
        self.paid = Fraction(0)
        self.unnamed = Fraction(0)
        self.unnamed_paid = Fraction(0)
        self.top = Fraction(0)
        self.low: tuple[Fraction, int] | None = None
        self.ids: set[str] = set()
        self.change = "none"
        self.alarm = self.question = self.tells_book = False

    # What every event begins with

    def hear(self, event: str, now: int = 0, **facts: Any) -> None:
        self.alarm = self.question = self.tells_book = False
        getattr(self, "hear_" + event)(now=now, **facts)
        if self.state in ENDS:
            self.change = "none"

    def is_over(self) -> bool:
        return self.state in ENDS

    def settle(self, gained: bool) -> None:
        """After a fill has been booked."""
        if self.is_over():
            if gained:
                self.alarm = True
            return
        if self.position >= self.qty:
            if self.position > self.qty:
                self.alarm = True
            self.state = "filled"
        elif self.position > 0:
            self.state = "partial"
        elif self.state == "partial":
            self.state = "working"

    # Fills

    def book(self, qty: Fraction, price: Fraction) -> None:
        self.position += qty
        self.paid += qty * price

    def hear_fill(
        self, now: int, key: str, qty: float, price: float, total: float = NAN, look: bool = False
    ) -> None:
        if not price > 0 or not qty > 0:
            self.question = True
            return
        if total == total:
            self.top = max(self.top, exact(total))
        if key in self.named:
            return
        q, p = exact(qty), exact(price)
        instead = min(q, self.unnamed)
        more = q - instead
        if self.position + more > max(self.top, self.position):
            if not (look and key in self.held):
                self.held.add(key)
                self.question = True
                return
            self.alarm = True
        self.held.discard(key)
        self.named[key] = [q, p, 0]
        if instead:
            was = self.unnamed_paid / self.unnamed
            self.unnamed -= instead
            self.unnamed_paid -= instead * was
            self.paid += instead * (p - was)
        if more:
            self.book(more, p)
        self.top = max(self.top, self.position)
        if more or (instead and p != was):
            self.settle(bool(more))

    def hear_total(self, now: int, qty: float, average: float = NAN, look: bool = False) -> None:
        if not qty >= 0:
            self.question = True
            return
        q = exact(qty)
        if q < self.position:
            if look:
                if self.low is None or self.low[0] != q:
                    self.low = (q, now)
                    self.question = True
                elif now - self.low[1] < 5 * 10**9:
                    self.question = True
                else:
                    self.give_back(q, average)
            return
        if look:
            self.low = None
        self.top = max(self.top, q)
        if q == self.position:
            return
        missing = q - self.position
        price = (exact(average) * q - self.paid) / missing if average == average else Fraction(0)
        if price <= 0:
            self.question = True
            return
        self.book(missing, price)
        self.unnamed += missing
        self.unnamed_paid += missing * price
        self.settle(True)

    def give_back(self, q: Fraction, average: float) -> None:
        gone = self.position - q
        left = exact(average) * q if q > 0 and average == average else Fraction(0)
        price = (self.paid - left) / gone if q == 0 or average == average else Fraction(0)
        if price <= 0:
            price = self.paid / self.position
        self.book(-gone, price)
        self.low = None
        self.top = q
        if self.unnamed > q:
            self.unnamed = q
        self.unnamed_paid = self.unnamed * price
        self.alarm = True
        self.settle(False)

    def hear_correction(self, now: int, key: str, version: int, qty: float, price: float) -> None:
        self.alarm = True
        if key not in self.named:
            if qty > 0:
                before = self.alarm
                self.hear_fill(now, key, qty, price)
                self.alarm = before
            else:
                self.named[key] = [Fraction(0), Fraction(0), version]
            self.question = True
            return
        was_q, was_p, was_version = self.named[key]
        if version <= was_version:
            return
        q, p = exact(qty), exact(price) if price > 0 else was_p
        self.named[key] = [q, p, version]
        self.paid += q * p - was_q * was_p
        self.position += q - was_q
        self.top = max(self.position, self.top + q - was_q)
        if q != was_q or p != was_p:
            self.settle(q > was_q)

    # The rest

    def hear_accepted(self, now: int, key: str, works: bool) -> None:
        self.ids.add(key)
        if self.state in ("sent", "unknown", "acked", "working"):
            self.state = "working" if works else "acked"
        elif self.state in ("cancelled", "expired", "rejected", "lost"):
            self.question = True

    def hear_submit_refused(self, now: int) -> None:
        if self.state in ("sent", "unknown", "acked", "working"):
            self.state = "rejected"
        elif self.state == "partial":
            self.alarm = self.question = True
        elif self.state == "filled":
            self.alarm = True

    def hear_no_answer(self, now: int) -> None:
        if self.state in ("sent", "unknown"):
            self.state = "unknown"
        if not self.is_over():
            self.question = True

    def hear_ended(self, now: int, how: str) -> None:
        if not self.is_over():
            self.state = how

    def hear_replaced(self, now: int, qty: float, key: str) -> None:
        self.ids.add(key)
        if self.state in ("cancelled", "expired", "rejected", "lost"):
            self.alarm = self.question = True
            return
        if self.state == "filled":
            self.question = True
            return
        if self.state in ("sent", "unknown"):
            self.state = "working"
        self.qty = exact(qty)
        self.change = "none"
        self.tells_book = True
        if self.position >= self.qty:
            self.state = "filled"

    def hear_change_refused(self, now: int) -> None:
        if self.is_over():
            return
        self.question = True
        self.change = "none"
        self.tells_book = self.state not in ("sent", "unknown")

    def hear_found(self, now: int, how: str, key: str) -> None:
        self.ids.add(key)
        lives = how in ("acked", "working", "partial")
        if self.state in ("cancelled", "expired", "rejected", "lost"):
            if lives and self.position < self.qty:
                self.alarm = True
                self.state = self.living(how)
            self.question = how == "filled"
            return
        if self.state == "filled":
            return
        if lives:
            self.state = self.living(how)
        elif how != "filled" or self.position >= self.qty:
            self.state = how
        else:
            self.question = True

    def living(self, how: str) -> str:
        if self.position > 0:
            return "partial"
        return "acked" if how == "acked" else "working"

    def hear_absent(self, now: int) -> None:
        if self.is_over():
            return
        if self.state not in ("sent", "unknown"):
            self.alarm = True
        self.state = "lost"
