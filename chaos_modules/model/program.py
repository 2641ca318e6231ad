"""The compiled form of a fault: exactly the lines that the injector will run, and what it must then find in the kernel."""

from __future__ import annotations

from dataclasses import dataclass, field

DEVICE = "%device%"
LEASE = "%lease%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command: either `argv` (tc, ip) or `nft`, a script for `nft -f -`. `%device%` and `%lease%` (`10s`) are filled in by the injector."""

    argv: tuple[str, ...] = ()
    nft: str = ""

    def __str__(self) -> str:
        return " ".join(self.argv) if self.argv else self.nft


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedQdisc:
    """A queueing discipline that must be there; `options` is a subset of what `tc -j qdisc` prints."""

    device: str
    kind: str
    handle: str
    parent: str = ""
    options: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSet:
    """Host names whose addresses, resolved in the target's namespace, are added to these two sets; none at all is an error."""

    names: tuple[str, ...]
    set_v4: str
    set_v6: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A packet that the filter matches, for the rehearsal; addresses and ports as on the wire. `size` is the frame's, in bytes."""

    source: str
    destination: str
    protocol: str = "udp"
    source_port: int = 0
    destination_port: int = 0
    count: int = 400
    size: int = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a program does to matching packets, for the rehearsal and for the verdict.

    Shares are in parts per million, the rate in bit/s at layer 2, `burst` in bytes, times in microseconds; `spread` is
    what correlation leaves of the jitter. `independent` is false where one
    packet's fate depends on the one before: then a share is a long-run average that a few thousand packets need not show. `loss_in_queue` and
    `copies_in_queue` say that the queue's counters tell them, not those of nftables.
    """

    loss: int | None = None
    duplicate: int | None = None
    corrupt: int | None = None
    reorder: int | None = None
    delay: int | None = None
    jitter: int = 0
    spread: int = 0
    rate: int | None = None
    burst: int = 0
    independent: bool = True
    loss_in_queue: bool = False
    copies_in_queue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelProgram:
    """One way to bring an impairment about, in one direction, on one device.

    `direction` is the device's own: the opposite of the workload's where the device is the host's end of it.
    `leaf` is the handle of the qdisc whose queue and counters are the fault's own (empty when it needs none), on `queue_device`.
    `ifb` is the intermediate device that it makes. `needs_root` says that it takes the device's root qdisc.
    `fidelity` names in what the program differs from the request (empty: in nothing).
    """

    engine: str
    direction: str
    family: str
    table: str
    effect: Effect
    setup: tuple[Step, ...]
    arm: Step
    renew: Step
    disarm: Step
    flush: tuple[Step, ...]
    teardown: tuple[Step, ...]
    rules: int
    qdiscs: tuple[ExpectedQdisc, ...] = ()
    needs_root: bool = False
    ifb: str = ""
    queue_device: str = DEVICE
    leaf: str = ""
    hosts: tuple[HostSet, ...] = ()
    probe: Probe = field(default_factory=lambda: Probe(source="", destination=""))
    fidelity: str = ""
    notes: tuple[str, ...] = ()
