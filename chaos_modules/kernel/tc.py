"""Queueing disciplines as tc lines (tc(8), tc-htb(8), tc-tbf(8)).

The root is an htb whose default is `0`: a packet that nothing steers bypasses its classes altogether. `direct_qlen` is explicit because
htb takes the device's txqueuelen otherwise, which is 0 on a tap and would drop every unsteered packet.
"""

from __future__ import annotations

from ..model.impairment import TokenBucket
from ..model.program import ExpectedQdisc, Step
from ..model.quantities import Rate

ROOT = "ca05:"
FAULT_CLASS = "ca05:10"
FAULT_LEAF = "ca06:"
DROP_CLASS = "ca05:20"
DROP_LEAF = "ca07:"
# A netem of ours takes one child, for the rate behind the delay.
NETEM_CHILD = "ca06:1"
CHILD_LEAF = "ca08:"
# A class must have a rate; a lower one would be a cap nobody asked for, and htb warns about a larger quantum.
NO_CAP = ("rate", "1tbit", "quantum", "60000")
FLUSH_RATE = "100gbit"
CLASS_QUEUE_PACKETS = 1000


def _tc(*words: str) -> Step:
    return Step(argv=("tc", *words))


def root(device: str) -> tuple[Step, ExpectedQdisc]:
    """Our root, which by itself changes nothing."""
    step = _tc("qdisc", "replace", "dev", device, "root", "handle", ROOT, "htb", "default", "0", "direct_qlen", "1000")
    return step, ExpectedQdisc(device=device, kind="htb", handle=ROOT)


def delete_root(device: str) -> Step:
    """Remove our root; fails on anybody else's, whose handle differs."""
    return _tc("qdisc", "del", "dev", device, "root", "handle", ROOT)


def plain_queue(device: str) -> tuple[Step, ExpectedQdisc]:
    """A queue of ours for a device that nothing shapes; the default of an ifb holds 32 packets only."""
    step = _tc("qdisc", "replace", "dev", device, "root", "handle", ROOT, "pfifo", "limit", "10000")
    return step, ExpectedQdisc(device=device, kind="pfifo", handle=ROOT)


def open_class(device: str, classid: str) -> Step:
    """A class without a cap."""
    return _tc("class", "add", "dev", device, "parent", ROOT, "classid", classid, "htb", *NO_CAP)


def class_burst(rate: Rate) -> int:
    """The bytes that a capped class may save: 10 ms worth, two frames at least; htb's own choice would follow the kernel's tick rate."""
    return max(rate.bits_per_second // 800, 2 * 1600)


def capped_class(device: str, rate: Rate) -> Step:
    """A class with a cap and an explicit burst."""
    burst = class_burst(rate)
    cap = ("rate", f"{rate.bits_per_second}bit", "burst", f"{burst}b", "cburst", f"{burst}b", "quantum", "60000")
    return _tc("class", "add", "dev", device, "parent", ROOT, "classid", FAULT_CLASS, "htb", *cap)


def uncap_class(device: str) -> Step:
    """Let the class drain at line rate."""
    return _tc("class", "change", "dev", device, "parent", ROOT, "classid", FAULT_CLASS, "htb", *NO_CAP)


def class_queue(device: str) -> tuple[Step, ExpectedQdisc]:
    """The queue of a capped class, explicit because its counters are read from it."""
    limit = str(CLASS_QUEUE_PACKETS)
    step = _tc("qdisc", "add", "dev", device, "parent", FAULT_CLASS, "handle", FAULT_LEAF, "pfifo", "limit", limit)
    return step, ExpectedQdisc(device=device, kind="pfifo", handle=FAULT_LEAF, parent=FAULT_CLASS, options=(("limit", CLASS_QUEUE_PACKETS),))


def blackhole(device: str) -> tuple[Step, ExpectedQdisc]:
    """The queue that loses everything after the sender believes it sent, as a wire does."""
    step = _tc("qdisc", "add", "dev", device, "parent", DROP_CLASS, "handle", DROP_LEAF, "blackhole")
    return step, ExpectedQdisc(device=device, kind="blackhole", handle=DROP_LEAF, parent=DROP_CLASS)


def token_bucket(device: str, bucket: TokenBucket, parent: str, handle: str) -> tuple[Step, ExpectedQdisc]:
    """The bucket itself. `mtu` is what tc calls the smallest burst (B4); a peak rate needs it (B18)."""
    words = ["tbf", "rate", f"{bucket.rate.bits_per_second}bit", "burst", f"{bucket.burst.octets}b", "limit", f"{bucket.limit.octets}b"]
    if bucket.minimum_burst:
        words += ["mtu", f"{bucket.minimum_burst.octets}b"]
    if bucket.peak_rate:
        words += ["peakrate", f"{bucket.peak_rate.bits_per_second}bit"]
    step = _tc("qdisc", "add", "dev", device, "parent", parent, "handle", handle, *words)
    options = (("rate", bucket.rate.bits_per_second // 8), ("burst", bucket.burst.octets))
    return step, ExpectedQdisc(device=device, kind="tbf", handle=handle, parent=parent, options=options)


def flush_token_bucket(device: str, bucket: TokenBucket, parent: str, handle: str) -> Step:
    """Let the bucket drain at line rate (B14)."""
    words = ("tbf", "rate", FLUSH_RATE, "burst", "1mb", "limit", f"{bucket.limit.octets}b")
    return _tc("qdisc", "change", "dev", device, "parent", parent, "handle", handle, *words)


def intermediate_device(name: str) -> tuple[Step, ...]:
    """The ifb through which ingress is queued; without addresses, so that it never speaks itself."""
    return (
        Step(argv=("ip", "link", "add", "name", name, "type", "ifb")),
        # Two commands: within one, the device would be up, and solicit routers, before it is told to have no addresses.
        Step(argv=("ip", "link", "set", "dev", name, "addrgenmode", "none")),
        Step(argv=("ip", "link", "set", "dev", name, "up")),
    )


def delete_device(name: str) -> Step:
    """Remove the ifb, and with it its qdiscs."""
    return Step(argv=("ip", "link", "del", "dev", name))
