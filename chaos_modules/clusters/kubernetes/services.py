"""Services by name, with what is behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from ...model.target import Service, ServicePort
from .api import Api, ApiProblem, Object

FORBIDDEN, NOT_FOUND = 403, 404
HEADLESS = "None"
Name = tuple[str, str]


def read_services(api: Api, names: Iterable[Name]) -> tuple[tuple[Service, ...], tuple[Name, ...]]:
    """Those of the (namespace, name)s that are Services, and those that may not be looked up. Raises ApiProblem."""
    found, hidden = [], []
    for namespace, name in names:
        try:
            item = api.call("GET", f"/api/v1/namespaces/{namespace}/services/{name}")
            query = [("labelSelector", f"kubernetes.io/service-name={name}")]
            slices = api.list(f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices", query).items
        except ApiProblem as problem:
            if problem.status == FORBIDDEN:
                hidden.append((namespace, name))
            elif problem.status != NOT_FOUND:
                raise
        else:
            found.append(service_of(item, slices))
    return tuple(found), tuple(hidden)


def service_of(item: Object, slices: Sequence[Object]) -> Service:
    """A Service of the API, with its EndpointSlices. Endpoints that are not ready are in it: they may be soon, and have connections still."""
    metadata, spec = item["metadata"], item["spec"]
    numbered = [one for one in slices if one["addressType"] != "FQDN"]
    endpoints = chain.from_iterable(endpoint["addresses"] for one in numbered for endpoint in one.get("endpoints") or ())
    own = spec.get("clusterIPs") or [spec.get("clusterIP", "")]
    return Service(
        namespace=metadata["namespace"], name=metadata["name"], cluster_ips=tuple(one for one in own if one not in ("", HEADLESS)),
        ports=tuple(_port(port, numbered) for port in spec.get("ports", ())), endpoints=tuple(sorted(set(endpoints))),
        external_name=spec.get("externalName", "") if spec.get("type") == "ExternalName" else "",
    )  # fmt: skip


def _port(port: Object, slices: Iterable[Object]) -> ServicePort:
    """A target port may be a name, which means another number in each pod: only the slices tell them."""
    targets = {
        one["port"] for part in slices for one in part.get("ports") or ()
        if one.get("name", "") == port.get("name", "") and one.get("port") is not None
    }
    return ServicePort(port=port["port"], protocol=port.get("protocol", "TCP").lower(), targets=tuple(sorted(targets)))
