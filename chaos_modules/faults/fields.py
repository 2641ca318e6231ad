"""Field types of faults and styles: the quantities of the model, readable from text and describable as JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, PlainSerializer, PlainValidator

from ..model.impairment import Distribution
from ..model.labels import HINT as SELECTOR_HINT
from ..model.labels import parse_selector
from ..model.quantities import Duration, Percentage, PercentageRange, Rate, Size
from ..model.traffic import Network, PortRange, Protocol
from ..model.wording import choices, shown
from .field_schemas import MOST_ITEMS, AnyCase, list_schema, quantity_schema, share_of_pods_schema, text_schema

Item = TypeVar("Item")
_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.?", re.IGNORECASE)
_KUBERNETES_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_DEVICE = re.compile(r"[^\s/:%\"'\\]{1,15}")
_PORTS_HINT = "write ports from 1 to 65535, or ranges of them, separated by commas (e.g. 80,8000-8100)"
_ADDRESS_HINT = "write addresses or CIDR networks separated by commas (e.g. 10.0.0.7,10.1.0.0/16,fd00::/8)"
_HOSTS_HINT = "write host names separated by commas, without scheme, port or path (e.g. api.shop.svc)"
_PROTOCOLS_HINT = "write protocols separated by commas (e.g. tcp,udp)"
_NAMES_HINT = "write Kubernetes names separated by commas (e.g. web-0,web-1)"
_POLICY_HINT = "write protocols with their ports (e.g. tcp:[8080,80],udp:[9000])"
_DEVICE_HINT = "write the name of an interface of the pod, at most 15 characters (e.g. eth0)"


def _reader(kind: Any, *bare_unit: str) -> PlainValidator:
    return PlainValidator(lambda value: value if isinstance(value, kind) else kind.parse(value, *bare_unit))


def items(value: object, hint: str) -> list[str]:
    """A comma-separated text, or a YAML list, as its parts; one that is empty or has a gap is an error, and never means everything."""
    parts = value if isinstance(value, list) else str(value).split(",")
    texts = [str(part).strip() if type(part) in (str, int) else "" for part in parts]
    if len(texts) > MOST_ITEMS:
        raise ValueError(f"a list of {len(texts)} entries; at most {MOST_ITEMS} are possible")
    if not texts or "" in texts or type(value) not in (str, int, list):
        raise ValueError(f"{shown(value)} is not a list, or has an empty entry; {hint}")
    return list(dict.fromkeys(texts))


def list_of(parse: Callable[[str], Item], hint: str) -> Callable[[object], tuple[Item, ...]]:
    """A reader of comma-separated texts or YAML lists whose entries `parse` reads."""
    return lambda value: value if isinstance(value, tuple) else tuple(parse(text) for text in items(value, hint))


def port_range(text: str) -> PortRange:
    """`80`, or `8000-8100`. Raises ValueError."""
    match = re.fullmatch(r"([0-9]{1,5})(?:\s*-\s*([0-9]{1,5}))?", text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= 65535:
        raise ValueError(f"{shown(text)} is not a port; {_PORTS_HINT}")
    return PortRange(first, last)


def network(text: str) -> Network:
    """An address or a network, IPv4 or IPv6. Host bits are refused: either end of `10.0.0.5/24` may have been meant. Raises ValueError."""
    try:
        found = ip_network(text, strict=False)
    except ValueError:
        is_name = re.search(r"[g-z]", text, re.IGNORECASE) and _HOST.fullmatch(text)
        hint = "write host names in DESTINATION_HOSTS" if is_name else _ADDRESS_HINT
        raise ValueError(f"{shown(text)} is not an address; {hint}") from None
    address = text.partition("/")[0]
    if found.network_address != ip_address(address):
        raise ValueError(f"{shown(text)} has host bits set; write {found} for the network or {address} for the one address")
    return found


def _host(text: str) -> str:
    try:
        ip_address(text)
    except ValueError:
        if not _HOST.fullmatch(text):
            raise ValueError(f"{shown(text)} is not a host name; {_HOSTS_HINT}") from None
        return text.lower()
    raise ValueError(f"{shown(text)} is an address; write it in DESTINATION_IPS")


def _name(text: str) -> str:
    if not _KUBERNETES_NAME.fullmatch(text):
        raise ValueError(f"{shown(text)} is not a Kubernetes name; {_NAMES_HINT}")
    return text


def _protocol(text: str) -> Protocol:
    known = [member.value for member in Protocol]
    if text.lower() not in known:
        raise ValueError(f"{shown(text)} is not a protocol; {choices(text, known)}")
    return Protocol(text.lower())


def _device(text: object) -> str:
    if not isinstance(text, str) or not _DEVICE.fullmatch(text) or text in (".", ".."):
        raise ValueError(f"{shown(text)} is not an interface name; {_DEVICE_HINT}")
    return text


def _lower(value: object) -> object:
    return value.lower().strip() if isinstance(value, str) else value


def _label_selector(text: object) -> str:
    written = text.strip() if isinstance(text, str) else ""
    if not written:
        raise ValueError(f"{shown(text)} is not a label selector; write it as text (e.g. app=web)")
    parse_selector(written)
    return written


@dataclass(frozen=True, slots=True)
class PolicyPorts:
    """Ports by protocol, as `PORTS` of a partition writes them: `tcp:[8080,80],udp:[9000]`."""

    by_protocol: tuple[tuple[str, tuple[PortRange, ...]], ...] = ()

    def __str__(self) -> str:
        return ",".join(f"{name}:[{','.join(map(str, ranges))}]" for name, ranges in self.by_protocol)


def _policy_ports(value: object) -> PolicyPorts:
    text = value.replace(" ", "") if isinstance(value, str) else ""
    found = re.findall(r"(tcp|udp|sctp):\[([^\]]*)\]", text, re.IGNORECASE)
    if not found or ",".join(f"{name}:[{listed}]" for name, listed in found) != text or len({name.lower() for name, _ in found}) < len(found):
        raise ValueError(f"{shown(value)} is not a list of ports by protocol; {_POLICY_HINT}")
    return PolicyPorts(tuple((name.lower(), ports(listed)) for name, listed in found))


def _above_zero(value: Item) -> Item:
    if value in (Percentage(0), Duration(0)):
        raise ValueError(f"{value} is no fault at all; write more than 0")
    return value


def ports(value: object) -> tuple[PortRange, ...]:
    """Ports in rising order; overlapping ranges are joined, since an interval set of the kernel refuses them. Raises ValueError."""
    joined: list[PortRange] = []
    for one in sorted(list_of(port_range, _PORTS_HINT)(value)):
        if joined and one.first <= joined[-1].last:
            joined[-1] = PortRange(joined[-1].first, max(joined[-1].last, one.last))
        else:
            joined.append(one)
    return tuple(joined)


def networks(value: object) -> tuple[Network, ...]:
    """Networks, without those that lie within another one. Raises ValueError."""
    return without_covered(list_of(network, _ADDRESS_HINT)(value))


def without_covered(given: tuple[Network, ...]) -> tuple[Network, ...]:
    """Networks in rising order, without those that lie within another one, since an interval set of the kernel refuses them."""
    kept: list[Network] = []
    for one in sorted(given, key=lambda each: (each.version, int(each.network_address), each.prefixlen)):
        if not kept or one.network_address not in kept[-1]:
            kept.append(one)
    return tuple(kept)


_TEXT = PlainSerializer(str)
_TEXTS = PlainSerializer(lambda value: [str(item) for item in value])
_MOMENT = quantity_schema(Duration, "100ms", "duration", "milliseconds")
_PERCENTAGE = quantity_schema(Percentage, "10.5%", "percentage", "percent", maximum=100)
_SECONDS = quantity_schema(Duration, 60, "duration", "seconds")
PercentageField = Annotated[Percentage, _reader(Percentage), _TEXT, _PERCENTAGE]
ShareField = Annotated[
    Percentage, _reader(Percentage), AfterValidator(_above_zero), _TEXT,
    quantity_schema(Percentage, 50, "percentage", "percent", maximum=100, exclusiveMinimum=0),
]
PercentageRangeField = Annotated[PercentageRange, _reader(PercentageRange), _TEXT, share_of_pods_schema("25-75")]
RateField = Annotated[Rate, _reader(Rate, "bit"), _TEXT, quantity_schema(Rate, "1mbit", "rate", "bits per second")]
SizeField = Annotated[Size, _reader(Size, "b"), _TEXT, quantity_schema(Size, "32kb", "size", "bytes")]
SecondsField = Annotated[Duration, _reader(Duration, "s"), _TEXT, _SECONDS]
MillisecondsField = Annotated[Duration, _reader(Duration, "ms"), _TEXT, _MOMENT]
PositiveMillisecondsField = Annotated[Duration, _reader(Duration, "ms"), AfterValidator(_above_zero), _TEXT, _MOMENT]
HoldField = Annotated[Duration, _reader(Duration, "s"), AfterValidator(_above_zero), _TEXT, _SECONDS]
DeviceField = Annotated[str, PlainValidator(_device), text_schema("eth0", _DEVICE_HINT, pattern=f"^{_DEVICE.pattern}$")]
PortsField = Annotated[tuple[PortRange, ...], PlainValidator(ports), _TEXTS, list_schema("80,8000-8100", _PORTS_HINT, "list of ports")]
NetworksField = Annotated[tuple[Network, ...], PlainValidator(networks), _TEXTS, list_schema("10.0.0.0/8", _ADDRESS_HINT, "list of networks")]
HostsField = Annotated[
    tuple[str, ...], PlainValidator(list_of(_host, _HOSTS_HINT)), _TEXTS, list_schema("api.shop.svc", _HOSTS_HINT, "list of host names"),
]
ProtocolsField = Annotated[
    tuple[Protocol, ...], PlainValidator(list_of(_protocol, _PROTOCOLS_HINT)), _TEXTS, list_schema("tcp,udp", _PROTOCOLS_HINT, "list of protocols"),
]
LabelsField = Annotated[str, PlainValidator(_label_selector), text_schema("app=web,tier!=cache", SELECTOR_HINT, "label selector")]
PolicyPortsField = Annotated[
    PolicyPorts, PlainValidator(_policy_ports), _TEXT, text_schema("tcp:[8080,80],udp:[9000]", _POLICY_HINT, "ports by protocol"),
]
Word = AnyCase(_lower)
DistributionField = Annotated[Distribution, Word]
NameField = Annotated[str, AfterValidator(_name), text_schema("shop", "write a Kubernetes name (e.g. shop)", pattern=f"^{_KUBERNETES_NAME.pattern}$")]
NamesField = Annotated[tuple[str, ...], PlainValidator(list_of(_name, _NAMES_HINT)), _TEXTS, list_schema("web-0,web-1", _NAMES_HINT, "list of names")]
