"""Host names that are Services, as the addresses and ports that packets to them carry on the target's device.

kube-proxy translates beyond that device: there a packet still has the Service's address and port. A socket load balancer (Cilium's) translates
before it: there it has an endpoint's address and port. Nobody has to know which of them the cluster has: the filter takes both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_network

from ..model.target import Service, Snapshot
from ..model.traffic import Network, PortRange, TrafficFilter, TrafficRule

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
Found = Mapping[str, Service]


def service_name(host: str, home: str) -> tuple[str, str] | None:
    """(namespace, name) of the Service that a host name may mean for a target in the namespace `home`: `name`, `name.namespace[.svc[.domain]]`."""
    name, namespace, *rest = [*host.lower().split("."), *([home] if "." not in host else [])]
    if not _LABEL.fullmatch(name) or not _LABEL.fullmatch(namespace) or rest[:1] not in ([], ["svc"]):
        return None
    return namespace, name


def with_services(traffic: TrafficFilter, snapshot: Snapshot, home: str = "") -> tuple[TrafficFilter, tuple[str, ...]]:
    """The filter with Services' names replaced by what their packets carry, and what there is to say about each of them."""
    rules = (*traffic.include, *traffic.exclude)
    names = {host: named for rule in rules for host in rule.hosts if (named := service_name(host, home))}
    present = {(service.namespace, service.name): service for service in snapshot.services}
    found = {host: present[named] for host, named in names.items() if named in present}
    include = [part for rule in traffic.include for part in _translated(rule, found)]
    exclude = [part for rule in traffic.exclude for part in (*_translated(rule, found), *_barred(rule, traffic.include, found))]
    notices = [
        *(f"host {host}: may not look up Services in {named[0]}, so that it is resolved as any other name; allow get services and list endpointslices"
          for host, named in names.items() if named in snapshot.hidden_services),
        *(_described(host, service) for host, service in found.items()),
        *dict.fromkeys(text for rule in rules for text in _portless(rule, found)),
    ]  # fmt: skip
    return replace(traffic, include=tuple(include), exclude=tuple(exclude)), tuple(notices)


def _translated(rule: TrafficRule, found: Found) -> Iterator[TrafficRule]:
    """The rule with the Services' own addresses, then one for the endpoints of each whose ports are others."""
    services = _named(rule, found)
    if not services:
        yield rule
        return
    ported = rule.remote_ports != ()
    own = [address for service in services for address in (*service.cluster_ips, *(() if ported else service.endpoints))]
    hosts = tuple(name for host in rule.hosts for name in _kept(host, found))
    front = replace(rule, peers=(*rule.peers, *_networks(own)), hosts=hosts)
    if front.peers or front.hosts or front.pod_labels or front.namespace_labels:
        yield front
    for service in services if ported else ():
        written = () if service.cluster_ips else rule.remote_ports
        ports = tuple(dict.fromkeys((*written, *_ports_behind(rule, service))))
        if ports and service.endpoints:
            yield replace(rule, peers=_networks(service.endpoints), hosts=(), pod_labels="", namespace_labels="", remote_ports=ports)


def _kept(host: str, found: Found) -> tuple[str, ...]:
    """The names that are still to be resolved by the target: another one for an ExternalName, the same where the Service has no address at all."""
    service = found.get(host)
    if service and service.external_name:
        return (service.external_name,)
    return () if service and (service.cluster_ips or service.endpoints) else (host,)


def _barred(rule: TrafficRule, include: Iterable[TrafficRule], found: Found) -> Iterator[TrafficRule]:
    """Ports that are excluded at every peer: at the endpoints of an included Service they are others."""
    if not rule.remote_ports or rule.peers or rule.hosts or rule.pod_labels or rule.namespace_labels:
        return
    for service in dict.fromkeys(service for one in include for service in _named(one, found) if service.cluster_ips and service.endpoints):
        if ports := _ports_behind(rule, service):
            yield replace(rule, peers=_networks(service.endpoints), remote_ports=ports)


def _named(rule: TrafficRule, found: Found) -> list[Service]:
    return list(dict.fromkeys(found[host] for host in rule.hosts if host in found))


def _ports_behind(rule: TrafficRule, service: Service) -> tuple[PortRange, ...]:
    """The endpoints' ports behind those ports of the Service that the rule names."""
    targets = {
        target for port in service.ports
        if any(port.port in wanted for wanted in rule.remote_ports) and (not rule.protocols or port.protocol in rule.protocols)
        for target in port.targets
    }
    return tuple(PortRange(target, target) for target in sorted(targets))


def _networks(addresses: Iterable[str]) -> tuple[Network, ...]:
    return tuple(ip_network(address) for address in addresses)


def _described(host: str, service: Service) -> str:
    head = f"host {host} is the Service {service.namespace}/{service.name}"
    if service.external_name:
        return f"{head}, another name of {service.external_name}"
    own = f"ClusterIP {', '.join(service.cluster_ips)}" if service.cluster_ips else "headless"
    number = len(service.endpoints)
    return f"{head} ({own}, {number} endpoint{'s' if number > 1 else ''})" if number else f"{head} ({own}), which has no endpoints"


def _portless(rule: TrafficRule, found: Found) -> Iterator[str]:
    """A Service's packets carry its own ports where kube-proxy translates them: to others it does not listen."""
    for service in _named(rule, found):
        own = list(dict.fromkeys(port.port for port in service.ports))
        if rule.remote_ports and service.cluster_ips and not any(port in wanted for port in own for wanted in rule.remote_ports):
            wanted, listed = (", ".join(map(str, ports)) for ports in (rule.remote_ports, own))
            yield f"the Service {service.namespace}/{service.name} has no port {wanted} (it has {listed or 'none'})"
