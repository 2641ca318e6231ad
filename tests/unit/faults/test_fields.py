"""Field types: what they read and how they are printed."""

from __future__ import annotations

from ipaddress import ip_network
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from chaos_modules.faults.fields import (
    DeviceField,
    HostsField,
    NamesField,
    NetworksField,
    PortsField,
    ProtocolsField,
    RateField,
    items,
    ports,
)
from chaos_modules.model.quantities import Rate
from chaos_modules.model.traffic import PortRange, Protocol


class _Fields(BaseModel):
    device: DeviceField = "eth0"
    hosts: HostsField = ()
    names: NamesField = ()
    networks: NetworksField = ()
    ports: PortsField = ()
    protocols: ProtocolsField = ()
    rate: RateField = Rate(8)


def test_texts_lists_and_values_are_read_alike() -> None:
    read = _Fields(
        device="net1", hosts="API.shop.svc, b.", names=["web-0", "web-1", "web-0"], networks=["10.0.0.0/8", "10.1.2.3", "::1"],  # type: ignore[arg-type]
        ports="443, 80-90,85-100", protocols="TCP,udp", rate=Rate(16),  # type: ignore[arg-type]
    )
    assert read.hosts == ("api.shop.svc", "b.")
    assert read.names == ("web-0", "web-1")
    assert read.networks == (ip_network("10.0.0.0/8"), ip_network("::1"))
    assert read.ports == (PortRange(80, 100), PortRange(443, 443))
    assert read.protocols == (Protocol.TCP, Protocol.UDP)
    assert _Fields.model_validate(read.model_dump()) == read
    assert _Fields(ports=read.ports).ports == read.ports
    assert _Fields.model_json_schema()["properties"]["ports"]["examples"] == ["80,8000-8100"]


@given(st.lists(st.tuples(st.integers(1, 65535), st.integers(0, 100)), min_size=1, max_size=8))
def test_joined_port_ranges_have_the_same_ports_and_no_overlap(given_ranges: list[tuple[int, int]]) -> None:
    ranges = [(first, min(first + length, 65535)) for first, length in given_ranges]
    joined = ports(",".join(f"{first}-{last}" for first, last in ranges))
    wanted = {port for first, last in ranges for port in range(first, last + 1)}
    assert {port for one in joined for port in range(one.first, one.last + 1)} == wanted
    assert all(one.last < other.first for one, other in pairwise(joined))


@given(st.text(alphabet=", \t", max_size=6))
def test_separators_alone_are_never_a_list(text: str) -> None:
    with pytest.raises(ValueError, match="has an empty entry"):
        items(text, "")


@pytest.mark.parametrize(("field", "value"), [
    ("device", 7), ("device", "."), ("device", "a b"), ("hosts", "-a"), ("hosts", "a..b"), ("hosts", 5.5), ("names", "A"),
    ("networks", "10.0.0.0/33"), ("networks", "::1/64"), ("networks", True), ("ports", "-1"), ("ports", ["80", None]), ("protocols", "ip"),
])
def test_malformed_values(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match="Value error"):
        _Fields.model_validate({field: value})
