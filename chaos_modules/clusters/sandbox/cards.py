"""The virtual machines' network cards, one process for all: copies frames between the host's end of a tap and the guest's.

A guest is a network namespace, so that a whole kernel answers in it. Its device is a tap as well, and this process is what an emulator
is in KubeVirt: what one of the two devices sends is read from its descriptor and written to the other's.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
import sys
from io import FileIO

from .traffic.loop import READ, Loop
from .traffic.setup import NetworkNamespace

_TUNSETIFF = 0x400454CA
_IFF_TAP_WITHOUT_HEADER = 0x1002
_LARGEST_FRAME = 16 * 1024
_ROUND = 64


def plug(netns: str, device: str) -> FileIO:
    """The other end of a tap. Offloads stay off, so that frames are whole and have their checksums. Raises OSError."""
    with NetworkNamespace(netns).entered():
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", device.encode(), _IFF_TAP_WITHOUT_HEADER))
    return FileIO(descriptor, "r+")


def join(loop: Loop, one: FileIO, other: FileIO) -> None:
    """Let everything that either of them sends come in at the other."""
    loop.watch(one, READ, lambda _: copy(one, other))
    loop.watch(other, READ, lambda _: copy(other, one))


def copy(source: FileIO, sink: FileIO) -> None:
    """What is waiting, up to a limit, so that no card keeps the others waiting."""
    for _ in range(_ROUND):
        frame = source.read(_LARGEST_FRAME)
        if not frame:
            return
        try:
            sink.write(frame)
        except OSError:
            continue  # that device is down, as a cable may be unplugged


def main() -> None:
    """Plug in the cards of the first line of the input, and work until it closes."""
    loop = Loop()
    try:
        for host, guest in json.loads(sys.stdin.readline()):
            join(loop, plug(*host), plug(*guest))
    except OSError as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return
    print(json.dumps({"ready": True}), flush=True)
    loop.watch(sys.stdin, READ, lambda _: loop.stop())
    loop.run()


if __name__ == "__main__":
    main()
