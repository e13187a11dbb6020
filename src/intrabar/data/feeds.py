"""What a run in chunks reads: feeds in the place of bars, and what happens alongside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from intrabar.data.alongside import Alongside
from intrabar.data.catalogue import Catalogue
from intrabar.data.continuous import kept_rolls
from intrabar.data.contradictions import Seen
from intrabar.data.detail import shorter
from intrabar.data.hours import UnderFeed, is_same
from intrabar.data.manifest import content_hash
from intrabar.data.margins import read_margins
from intrabar.data.market import RateSources, pairs_for
from intrabar.data.pieces import Feed, WholeFeed
from intrabar.data.rates import Pair
from intrabar.data.series import Origin, Series, hash_around
from intrabar.data.series_reading import (
    adjustment_of,
    given_detail,
    known_actions,
    named_calendar,
    read_one,
    stored_remarks,
)
from intrabar.data.source import BarsRequest, Source
from intrabar.data.stored import StoredFeed
from intrabar.data.timeline import require_one_period
from intrabar.model.instrument import Instrument
from intrabar.model.remark import Remark


@dataclass(frozen=True, eq=False)
class Fed:
    """The bars of a symbol as they are read part by part, and what happens alongside them."""

    feed: Feed
    origin: Origin
    alongside: Alongside
    calendar: str = ""
    odd: tuple[Remark, ...] = ()

    @property
    def symbol(self) -> str:
        """The instrument."""
        return self.feed.symbol

    @property
    def seen(self) -> Seen:
        """What the bars tell of their instrument."""
        return Seen(self.feed, self.calendar)


def fed(series: Series) -> Fed:
    """Bars that are in memory already."""
    along = Alongside(
        series.actions,
        series.margins,
        series.rolls,
        None if series.detail is None else WholeFeed(series.detail),
    )
    return Fed(WholeFeed(series.bars), series.origin, along, series.calendar, series.odd)


def read_feeds(sources: Sequence[Source], request: BarsRequest) -> list[Fed]:
    """The bars of sources, as `read_series`, to be read as they come.

    Only the catalogue's come piece by piece; a file is read whole.

    Raises
    ------
    ConfigError, NotFoundError, DataError
        As `read_series`.
    """
    found = [_read(source, request) for source in sources]
    require_one_period([one.feed for one in found])
    return found


def stored(source: Source, request: BarsRequest) -> StoredFeed:
    """The bars of the catalogue between the dates of a run."""
    return Catalogue(source.catalogue).feed(
        source.symbol, source.period or request.period, request.first, request.last
    )


def rates_for(
    found: Sequence[Fed],
    instruments: Sequence[Instrument],
    currency: str,
    rates: RateSources,
    given: Sequence[Feed] = (),
) -> tuple[dict[Pair, Feed], list[Origin]]:
    """Rates of exchange for what is not in the account's currency, as `market_of` finds them."""

    def read(source: Source, request: BarsRequest) -> tuple[Feed, Origin]:
        one = _read(source, request)
        return one.feed, one.origin

    currencies = [x.currency for x in instruments]
    return pairs_for([one.feed for one in found], currencies, currency, rates, given, read)


def _read(source: Source, request: BarsRequest) -> Fed:
    if not source.is_stored:
        return fed(read_one(source, request))
    catalogue = Catalogue(source.catalogue)
    feed = stored(source, request)
    detail = detail_hash = None
    if request.with_detail:
        detail, detail_hash = _detail(source, request, feed.period)
    along = Alongside(
        known_actions(source, source.adjustment or adjustment_of(feed.manifest)),
        read_margins(source.margins, source.symbol) if source.margins else None,
        kept_rolls(catalogue, feed.manifest),
        detail,
    )
    told = stored_remarks(feed.manifest)
    own, named = feed.manifest.calendar, named_calendar(source, request)
    around = hash_around(along.actions, along.margins, along.rolls, detail_hash)
    origin = replace(_origin(feed, source), around=around)
    if named is None or is_same(own, named):
        return Fed(feed, origin, along, own, told)
    return Fed(UnderFeed(feed, own, named), origin, along, named, told)


def _detail(source: Source, request: BarsRequest, period: int) -> tuple[Feed | None, str | None]:
    """Lower bars, and their hash."""
    if source.detail:
        bars = given_detail(source, request)
        return WholeFeed(bars), content_hash(bars)
    catalogue = Catalogue(source.catalogue)
    manifest = shorter(catalogue, source.symbol, period)
    if manifest is None:
        return None, None
    return catalogue.feed(source.symbol, manifest.period), manifest.content_sha256


def _origin(feed: StoredFeed, source: Source) -> Origin:
    """The record of a dataset that is read as it comes; its hash is that of all of its bars."""
    m = feed.manifest
    where = f"catalogue {Catalogue(source.catalogue).root}, {m.period}, from {m.source}"
    first = m.first if feed.start is None else max(m.first, _iso(feed.start))
    last = m.last if feed.end is None else min(m.last, _iso(feed.end))
    return Origin(m.symbol, where, m.source_sha256, m.content_sha256, len(feed), first, last)


def _iso(ns: int) -> str:
    return str(np.datetime64(ns, "ns"))[:19] + "Z"
