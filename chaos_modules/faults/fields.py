"""Field types of faults and styles: the quantities of the model, readable from text and describable as JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, PlainSerializer, PlainValidator, WithJsonSchema

from ..model.quantities import Duration, Percentage, PercentageRange, Rate, Size
from ..model.traffic import Network, PortRange, Protocol
from ..model.wording import choices, shown

Item = TypeVar("Item")
_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.?", re.IGNORECASE)
_PORTS_HINT = "write ports from 1 to 65535, or ranges of them, separated by commas (e.g. 80,8000-8100)"
_ADDRESS_HINT = "write addresses or CIDR networks separated by commas (e.g. 10.0.0.7,10.1.0.0/16,fd00::/8)"
_HOSTS_HINT = "write host names separated by commas, without scheme, port or path (e.g. api.shop.svc)"
_PROTOCOLS_HINT = "write protocols separated by commas (e.g. tcp,udp)"
_NAMES_HINT = "write Kubernetes names separated by commas (e.g. web-0,web-1)"
_DEVICE_HINT = "write the name of an interface of the pod, at most 15 characters (e.g. eth0)"


def _reader(kind: Any, *bare_unit: str) -> PlainValidator:
    return PlainValidator(lambda value: value if isinstance(value, kind) else kind.parse(value, *bare_unit))


def items(value: object, hint: str) -> list[str]:
    """A comma-separated text, or a YAML list, as its parts; one that is empty or has a gap is an error, and never means everything."""
    parts = value if isinstance(value, list) else str(value).split(",")
    texts = [str(part).strip() if type(part) in (str, int) else "" for part in parts]
    if not texts or "" in texts or type(value) not in (str, int, list):
        raise ValueError(f"{shown(value)} is not a list, or has an empty entry; {hint}")
    return list(dict.fromkeys(texts))


def list_of(parse: Callable[[str], Item], hint: str) -> Callable[[object], tuple[Item, ...]]:
    """A reader of comma-separated texts or YAML lists whose entries `parse` reads."""
    return lambda value: value if isinstance(value, tuple) else tuple(parse(text) for text in items(value, hint))


def port_range(text: str) -> PortRange:
    """`80`, or `8000-8100`. Raises ValueError."""
    match = re.fullmatch(r"(\d{1,5})(?:\s*-\s*(\d{1,5}))?", text)
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
    if not re.fullmatch(r"(?=.{1,253}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?", text):
        raise ValueError(f"{shown(text)} is not a Kubernetes name; {_NAMES_HINT}")
    return text


def _protocol(text: str) -> Protocol:
    known = [member.value for member in Protocol]
    if text.lower() not in known:
        raise ValueError(f"{shown(text)} is not a protocol; {choices(text, known)}")
    return Protocol(text.lower())


def _device(text: object) -> str:
    if not isinstance(text, str) or not re.fullmatch(r"[^\s/:%\"'\\]{1,15}", text) or text in (".", ".."):
        raise ValueError(f"{shown(text)} is not an interface name; {_DEVICE_HINT}")
    return text


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
_LIST = {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "array", "items": {"type": ["string", "integer"]}}]}


def _schema(example: object, *types: str) -> WithJsonSchema:
    return WithJsonSchema({"type": list(types), "examples": [example]})


def _list_schema(example: str) -> WithJsonSchema:
    return WithJsonSchema({**_LIST, "examples": [example]})


PercentageField = Annotated[Percentage, _reader(Percentage), _TEXT, _schema("10.5%", "number", "string")]
ShareField = Annotated[Percentage, _reader(Percentage), AfterValidator(_above_zero), _TEXT, _schema(50, "number", "string")]
PercentageRangeField = Annotated[PercentageRange, _reader(PercentageRange), _TEXT, _schema("25-75", "integer", "string")]
RateField = Annotated[Rate, _reader(Rate, "bit"), _TEXT, _schema("1mbit", "string", "number")]
SizeField = Annotated[Size, _reader(Size, "b"), _TEXT, _schema("32kb", "string", "integer")]
SecondsField = Annotated[Duration, _reader(Duration, "s"), _TEXT, _schema(60, "number", "string")]
HoldField = Annotated[Duration, _reader(Duration, "s"), AfterValidator(_above_zero), _TEXT, _schema(60, "number", "string")]
DeviceField = Annotated[str, PlainValidator(_device), _schema("eth0", "string")]
PortsField = Annotated[tuple[PortRange, ...], PlainValidator(ports), _TEXTS, _list_schema("80,8000-8100")]
NetworksField = Annotated[tuple[Network, ...], PlainValidator(networks), _TEXTS, _list_schema("10.0.0.0/8")]
HostsField = Annotated[tuple[str, ...], PlainValidator(list_of(_host, _HOSTS_HINT)), _TEXTS, _list_schema("api.shop.svc")]
ProtocolsField = Annotated[tuple[Protocol, ...], PlainValidator(list_of(_protocol, _PROTOCOLS_HINT)), _TEXTS, _list_schema("tcp,udp")]
NameField = Annotated[str, AfterValidator(_name)]
NamesField = Annotated[tuple[str, ...], PlainValidator(list_of(_name, _NAMES_HINT)), _TEXTS, _list_schema("web-0,web-1")]
