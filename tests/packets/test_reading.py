"""What the injector reads from the kernel itself, beside what the program nft says of the same."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import pytest
from two_ends import ADDRESSES, INJECTOR, NAMES, within
from wire import UdpFlow, send_paced

TABLE = """table netdev squall_0a1b2c3d_egress {
  set lease { type ether_type; flags timeout; }
  counter matched { packets 7 bytes 70 }
  counter dropped { }
  chain fault { counter name matched
    return
  }
  chain entry { type filter hook egress device "eth0" priority 0; policy accept;
    meta protocol @lease counter name dropped goto fault
  }
}
table inet squall_0a1b2c3d_egress { counter matched { packets 1 bytes 1 }
  chain other { accept
    accept
  }
}
table bridge x { }
table ip6 y { }
"""
FAMILY, NAME = WHERE = ("netdev", "squall_0a1b2c3d_egress")
pytestmark = pytest.mark.usefixtures("ends")


def read(expression: str) -> Any:
    script = f"import sys, json; sys.path.insert(0, {str(INJECTOR.parent)!r}); import nftables; print(json.dumps(nftables.{expression}))"
    return json.loads(within(NAMES[0], sys.executable, "-c", script))


def listed(*words: str) -> list[dict[str, Any]]:
    return [item for item in json.loads(within(NAMES[0], "nft", "-j", "list", *words))["nftables"] if "metainfo" not in item]


def test_it_is_what_nft_says() -> None:
    assert read("tables()") == []
    within(NAMES[0], "nft", "-f", "-", text=TABLE)
    within(NAMES[0], "nft", f"add element {FAMILY} {NAME} lease {{ ip timeout 60s }}")
    flow = UdpFlow(*NAMES, ADDRESSES[1], 9000).meet()
    send_paced([flow], 1000, 0.1)
    flow.finish()
    assert read("tables()") == [[item["table"]["family"], item["table"]["name"]] for item in listed("tables")]
    table = listed("table", *WHERE)
    counters = {item["counter"]["name"]: [item["counter"]["packets"], item["counter"]["bytes"]] for item in table if "counter" in item}
    assert counters["dropped"][0] >= 50
    assert counters["matched"][0] == 7 + counters["dropped"][0]
    assert read(f"counters(*{WHERE})") == counters
    assert read(f"rules(*{WHERE})") == sum("rule" in item for item in table) == 3
    assert read(f"elements(*{WHERE}, 'lease')") == 1


def test_a_lease_that_is_over_is_not_in_force() -> None:
    within(NAMES[0], "nft", "-f", "-", text=TABLE)
    assert read(f"elements(*{WHERE}, 'lease')") == 0
    within(NAMES[0], "nft", f"add element {FAMILY} {NAME} lease {{ ip timeout 1s, ip6 timeout 60s }}")
    end = time.monotonic() + 1
    assert read(f"elements(*{WHERE}, 'lease')") == 2
    while time.monotonic() < end:
        time.sleep(0.01)
    assert read(f"elements(*{WHERE}, 'lease')") == 1
    within(NAMES[0], "nft", f"flush set {FAMILY} {NAME} lease")
    assert read(f"elements(*{WHERE}, 'lease')") == 0


def test_a_table_that_is_not_there_is_not_an_empty_one() -> None:
    assert read(f"rules(*{WHERE})") == 0
    with pytest.raises(subprocess.CalledProcessError) as caught:
        read(f"elements(*{WHERE}, 'lease')")
    assert f"CommandFailed: the kernel does not list the sets of table {NAME}: No such file or directory" in caught.value.stderr


def test_more_than_one_answer_holds() -> None:
    rules = "accept\n" * 5000
    names = "".join(f"counter c{number} {{ packets {number} bytes 0 }}\n" for number in range(2000))
    within(NAMES[0], "nft", "-f", "-", text=f"table {FAMILY} {NAME} {{ {names} chain a {{ {rules} }}\n}}\n")
    assert read(f"rules(*{WHERE})") == 5000
    assert read(f"counters(*{WHERE})") == {f"c{number}": [number, 0] for number in range(2000)}
