"""The first bytes of a counted datagram or ping: whose it is, which one, and when it was sent."""

from __future__ import annotations

import struct

MAGIC = b"sqlf"
_LAYOUT = struct.Struct("!4sIQd")
SIZE = _LAYOUT.size


def write(packet: bytearray, offset: int, flow: int, sequence: int, moment: float) -> None:
    """Put a header into a packet."""
    _LAYOUT.pack_into(packet, offset, MAGIC, flow, sequence, moment)


def read(packet: bytearray, offset: int, length: int) -> tuple[int, int, float] | None:
    """Flow, sequence number and moment of sending; None when the packet is not ours."""
    if length < offset + SIZE:
        return None
    magic, flow, sequence, moment = _LAYOUT.unpack_from(packet, offset)
    return (flow, sequence, moment) if magic == MAGIC else None
