"""Traffic filters and steering as nftables text (nft(8), family netdev).

nft 1.0.6 wants every rule on a line of its own and takes a class id such as `ca05:10` only at the end of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..model.impairment import Direction
from ..model.program import DEVICE, LEASE, HostSet, Step
from ..model.quantities import Percentage
from ..model.traffic import WITH_PORTS, Network, PortRange, TrafficFilter, TrafficRule

# One bit of the packet mark tells a copy from its original while both cross the egress hook; it is cleared before the packet goes on.
COPY_MARK = 0x40000000
# Where kernels before 5.16 have no egress hook, packets pass here just before the device's qdisc.
POSTROUTING = "postrouting"
NEIGHBOUR_DISCOVERY = "{ nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, nd-redirect }"


@dataclass
class Table:
    """One table of ours under construction; counts its rules, so that the read-back can tell whether all are there."""

    name: str
    link_layer: bool
    family: str = "netdev"
    lines: list[str] = field(default_factory=list)
    rules: int = 0

    def counter(self, name: str) -> None:
        """Declare a named counter."""
        self.lines.append(f"  counter {name} {{ }}")

    def address_set(self, name: str, kind: str, networks: Sequence[Network]) -> None:
        """Declare a set of networks; `kind` is ipv4_addr or ipv6_addr. Empty sets are filled later, by the injector."""
        elements = f" elements = {{ {', '.join(map(str, networks))} }};" if networks else ""
        self.lines.append(f"  set {name} {{ type {kind}; flags interval; auto-merge;{elements} }}")

    def chain(self, name: str, rules: Iterable[str], hook: str = "", device: str = DEVICE) -> None:
        """Declare a chain, at a hook of a device (`ingress`, `egress`), at `postrouting`, or for jumping to."""
        rules = list(rules)
        self.rules += len(rules)
        place = hook if hook == POSTROUTING else f'{hook} device "{device}"'
        head = [f"    type filter hook {place} priority 0; policy accept;"] if hook else []
        self.lines += [f"  chain {name} {{", *head, *(f"    {rule}" for rule in rules), "  }"]

    def script(self) -> str:
        """The whole table. It starts disarmed: the lease is empty."""
        lease = "  set lease { type ether_type; flags timeout; }"
        return "\n".join([f"table {self.family} {self.name} {{", lease, *self.lines, "}"]) + "\n"

    def _elements(self, timeout: str) -> str:
        protocols = ("ip", "ip6", "arp") if self.link_layer else ("ip", "ip6")
        return "{ " + ", ".join(f"{protocol}{timeout}" for protocol in protocols) + " }"

    def arm(self) -> Step:
        """Begin to steer, for one lease."""
        return Step(nft=f"add element {self.family} {self.name} lease {self._elements(f' timeout {LEASE}')}\n")

    def renew(self) -> Step:
        """Extend the lease: adding an element again would not extend it, and deleting an expired one fails the whole transaction."""
        delete = f"delete element {self.family} {self.name} lease {self._elements('')}\n"
        return Step(nft=delete + (self.arm().nft))

    def disarm(self) -> Step:
        """Stop steering, whatever is left of the lease."""
        return Step(nft=f"flush set {self.family} {self.name} lease\n")

    def delete(self) -> Step:
        """Remove the table."""
        return Step(nft=f"delete table {self.family} {self.name}\n")


def chance(percentage: Percentage) -> str:
    """A condition that holds for a share of the packets, independently of each other; nothing at all for 100 %."""
    return "" if percentage.millionths == 10**6 else f"numgen random mod 1000000 < {percentage.millionths} "


def steer(classid: str) -> str:
    """Send the packet to a class of our root qdisc; must stand at the end of a rule."""
    return f"meta priority set {classid}"


def copies(percentage: Percentage, device: str) -> tuple[str, str]:
    """The guard that lets a copy pass, and the rule that makes copies. Other bits of the mark (mesh, CNI) survive."""
    keep = 0xFFFFFFFF ^ COPY_MARK
    clear = f"meta mark set meta mark & {keep:#010x}"
    guard = f"meta mark & {COPY_MARK:#010x} == {COPY_MARK:#010x} {clear} accept"
    mark = f"meta mark set meta mark | {COPY_MARK:#010x}"
    return guard, f'{chance(percentage)}counter name duplicated {mark} dup to "{device}" {clear}'


def filter_chain(table: Table, traffic: TrafficFilter, direction: Direction, target: str) -> tuple[HostSet, ...]:
    """Add the chain `filter`, which sends matching packets to the chain `target`. Returns the sets that await resolved host names."""
    rules: list[str] = [] if traffic.link_layer else [f"icmpv6 type {NEIGHBOUR_DISCOVERY} return"]
    hosts: list[HostSet] = []
    for kind, group, verdict in (("exclude", traffic.exclude, "return"), ("include", traffic.include, f"goto {target}")):
        for number, rule in enumerate(group):
            name = f"{kind}_{number}"
            rules += [f"{match} {verdict}".strip() for match in _matches(table, rule, direction, name)]
            if rule.hosts:
                hosts.append(HostSet(names=rule.hosts, set_v4=f"{name}_v4", set_v6=f"{name}_v6"))
    if not traffic.include:
        rules.append(f"goto {target}")
    table.chain("filter", rules)
    return tuple(hosts)


def _matches(table: Table, rule: TrafficRule, direction: Direction, name: str) -> list[str]:
    """The rule as match expressions, one per address family that it names."""
    transport = _transport(rule, direction)
    if not rule.peers and not rule.hosts:
        return [transport]
    side = "daddr" if direction is Direction.EGRESS else "saddr"
    found = []
    for version, family, kind in ((4, "ip", "ipv4_addr"), (6, "ip6", "ipv6_addr")):
        networks = [network for network in rule.peers if network.version == version]
        if networks or rule.hosts:
            table.address_set(f"{name}_v{version}", kind, networks)
            found.append(f"{family} {side} @{name}_v{version} {transport}".strip())
    return found


def _transport(rule: TrafficRule, direction: Direction) -> str:
    local, remote = ("sport", "dport") if direction is Direction.EGRESS else ("dport", "sport")
    ports = [f"th {side} {_port_set(ranges)}" for side, ranges in ((local, rule.local_ports), (remote, rule.remote_ports)) if ranges]
    protocols = rule.protocols or (WITH_PORTS if ports else ())
    protocol = [f"meta l4proto {{ {', '.join(protocols)} }}"] if protocols else []
    return " ".join(protocol + ports)


def _port_set(ranges: Sequence[PortRange]) -> str:
    merged: list[PortRange] = []
    for ports in sorted(ranges):
        if merged and ports.first <= merged[-1].last + 1:
            merged[-1] = PortRange(merged[-1].first, max(merged[-1].last, ports.last))
        else:
            merged.append(ports)
    return "{ " + ", ".join(map(str, merged)) + " }"
