"""The frames of OpenD, as its published messages have them: a head of 44 bytes, a body."""

from __future__ import annotations

import asyncio
import hashlib
import struct
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
HEAD = struct.Struct("<1s1sI2B2I20s8s")
MESSAGES = {
    1001: "InitConnect",
    1004: "KeepAlive",
    2001: "Trd_GetAccList",
    2005: "Trd_UnlockTrade",
    2008: "Trd_SubAccPush",
    2101: "Trd_GetFunds",
    2102: "Trd_GetPositionList",
    2201: "Trd_GetOrderList",
    2202: "Trd_PlaceOrder",
    2205: "Trd_ModifyOrder",
    2208: "Trd_UpdateOrder",
    2211: "Trd_GetOrderFillList",
    2218: "Trd_UpdateOrderFill",
    2221: "Trd_GetHistoryOrderList",
    2222: "Trd_GetHistoryOrderFillList",
    3001: "Qot_Sub",
    3006: "Qot_GetKL",
    3007: "Qot_UpdateKL",
    3103: "Qot_RequestHistoryKL",
    3202: "Qot_GetStaticInfo",
    3203: "Qot_GetSecuritySnapshot",
}


class No(Exception):  # noqa: N818
    """What OpenD says instead of an answer."""


class Frame(NamedTuple):
    """A request: which, its number, and what it asks."""

    proto: int
    serial: int
    asked: Any


def module(proto: int) -> Any:
    """The messages of a request, from the vendor's package."""
    return import_module(f"moomoo.common.pb.{MESSAGES[proto]}_pb2")


def encoded(proto: int, serial: int, body: bytes) -> bytes:
    """A frame."""
    digest = hashlib.sha1(body).digest()
    return HEAD.pack(b"F", b"T", proto, 0, 0, serial, len(body), digest, bytes(8)) + body


async def read(reader: asyncio.StreamReader) -> Frame | None:
    """The next request; None where the connection has ended.

    Raises
    ------
    ValueError
        No frame.
    """
    try:
        head = HEAD.unpack(await reader.readexactly(HEAD.size))
        body = await reader.readexactly(head[6])
    except (asyncio.IncompleteReadError, OSError):
        return None
    if head[:2] != (b"F", b"T") or hashlib.sha1(body).digest() != head[7]:
        raise ValueError("no frame of OpenD")
    return Frame(head[2], head[5], module(head[2]).Request.FromString(body).c2s)


def local(at: int) -> datetime:
    """An instant (ns UTC) in New York."""
    return datetime.fromtimestamp(at // 10**9, UTC).astimezone(EASTERN)


def text(at: int) -> str:
    """An instant as OpenD writes it."""
    return f"{local(at):%Y-%m-%d %H:%M:%S}.{at // 10**6 % 1000:03d}"
