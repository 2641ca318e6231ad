"""Logging in to a Kubernetes cluster: the only module that imports the official client, and that only when a cluster is asked for.

The client reads the kubeconfig, runs login plugins, renews tokens, and knows TLS and proxies; the requests themselves are plain dicts
over its connection pool, which is the same in all its generations. Its typed models take longer to import than a run takes to start.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

from ..model.errors import BadInput, ClusterProblem
from ..model.wording import one_line
from .kubernetes.refusal import Who, unauthorized
from .kubernetes.transport_api import KubernetesApi
from .kubernetes.transport_http import Login
from .kubernetes.transport_kubeconfig import DEFAULT, Kubeconfig, find_kubeconfig, read_kubeconfig

IN_CLUSTER = "in-cluster"
_MOST_CONNECTIONS = 64
_LONGEST_COMPLAINT = 400
# The client looks at its token before each request; a plugin whose tokens live for minutes would run as often.
_RENEW_SECONDS = 10.0
# A peer that is gone without a word is noticed within half a minute, even by a stream that may be silent for hours.
_KEEPALIVE = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *((socket.IPPROTO_TCP, getattr(socket, option), value)
      for option, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 15_000)) if hasattr(socket, option)),
]  # fmt: skip
_log = logging.getLogger(__name__)


def connect(kubeconfig: str | None, context: str | None, wait: Callable[[float], bool]) -> KubernetesApi:
    """The cluster of a context of the kubeconfig, or the one this process runs in; nothing is asked of it yet. Raises BadInput, ClusterProblem."""
    paths = find_kubeconfig(kubeconfig, os.environ)
    if paths:
        return KubernetesApi(_by_kubeconfig(read_kubeconfig(paths, context)), wait)
    where = one_line(os.environ.get("KUBECONFIG") or DEFAULT)
    if context or not os.environ.get("KUBERNETES_SERVICE_HOST"):
        remedy = "set KUBECONFIG, or name a kubeconfig; to try Squall without a cluster: --sandbox"
        raise BadInput(f"there is no kubeconfig{f' with the context {one_line(context)}' if context else ''}", where, remedy)
    return KubernetesApi(_in_cluster(), wait)


def _by_kubeconfig(found: Kubeconfig) -> Login:
    from kubernetes.client import Configuration  # noqa: PLC0415
    from kubernetes.config import ConfigException, load_kube_config  # noqa: PLC0415

    configuration, where = Configuration(), f"{one_line(found.files)} (context {found.context})"
    try:
        with _complaints() as complaints:
            load_kube_config(config_file=found.files, context=found.context, client_configuration=configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, ValueError, TypeError, AttributeError, KeyError, OSError) as error:
        raise BadInput(f"the kubeconfig cannot be used: {one_line(str(error))}", where, "compare it with `kubectl config view`") from error
    if complaints:
        what = f"the login plugin `{found.plugin}` failed: {complaints[0]}"
        raise ClusterProblem(what, where, "run it yourself with the arguments of the kubeconfig, and mend what it says; often it is: log in again")
    _set_proxy(configuration, found.proxy)
    return _login(Who(name=found.context, user=f"user {found.user}", plugin=found.plugin), configuration)


def _in_cluster() -> Login:
    from kubernetes.client import Configuration  # noqa: PLC0415
    from kubernetes.config import ConfigException, load_incluster_config  # noqa: PLC0415

    configuration = Configuration()
    try:
        load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError) as error:
        remedy = "set automountServiceAccountToken: true in the pod"
        raise ClusterProblem(f"the pod's service account cannot be used: {error}", IN_CLUSTER, remedy) from error
    _set_proxy(configuration, "")
    return _login(Who(name=IN_CLUSTER, user="the pod's service account"), configuration)


def _login(who: Who, configuration: Any) -> Login:
    import urllib3  # noqa: PLC0415
    from kubernetes.client import ApiClient  # noqa: PLC0415

    if not configuration.verify_ssl:
        _log.warning("%s: insecure-skip-tls-verify is set: whoever answers is believed to be the API server", who.name)
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    configuration.retries = urllib3.Retry(total=0)
    configuration.connection_pool_maxsize = _MOST_CONNECTIONS
    try:
        pool = ApiClient(configuration).rest_client.pool_manager
    except (urllib3.exceptions.HTTPError, ImportError) as error:
        proxy, remedy = urlsplit(configuration.proxy), "write http:// or https://; kubernetes 37 with PySocks knows socks5:// too"
        raise BadInput(f"the proxy {proxy.scheme}://{proxy.hostname} cannot be used: {error}", who.name, remedy) from error
    pool.connection_pool_kw["socket_options"] = _KEEPALIVE
    return Login(who=who, server=configuration.host.rstrip("/"), pool=pool, authorization=_Authorization(who, configuration).header)


def _set_proxy(configuration: Any, proxy: str) -> None:
    """The cluster's own proxy, else the environment's as kubectl takes it: by the server's scheme, never for this machine itself."""
    environment, server = getproxies(), urlsplit(configuration.host)
    local = server.hostname in ("localhost", "::1") or (server.hostname or "").startswith("127.")
    configuration.proxy = proxy or (None if local else environment.get(server.scheme) or environment.get("all"))
    configuration.no_proxy = None if proxy else environment.get("no")
    parts = urlsplit(configuration.proxy or "")
    if parts.username:
        from urllib3.util import make_headers  # noqa: PLC0415

        configuration.proxy_headers = make_headers(proxy_basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}")


class _Authorization:
    """The header that says who we are; renewed by the client's own hook."""

    def __init__(self, who: Who, configuration: Any) -> None:
        self._who, self._configuration = who, configuration
        self._lock = threading.Lock()
        self._value, self._until = "", 0.0

    def header(self) -> str:
        """The value as it is now; empty where a client certificate says it. Raises ApiProblem when it cannot be renewed."""
        from kubernetes.config import ConfigException  # noqa: PLC0415

        with self._lock:
            if time.monotonic() >= self._until:
                try:
                    with _complaints() as complaints:
                        settings = self._configuration.auth_settings()
                except (ConfigException, OSError, ValueError) as error:
                    raise unauthorized(self._who, self._who.name, one_line(str(error))) from error
                for complaint in complaints:
                    _log.warning("%s: the login plugin `%s` failed, the earlier token is used: %s", self._who.name, self._who.plugin, complaint)
                self._value = next((str(setting["value"]) for setting in settings.values()), "")
                self._until = time.monotonic() + _RENEW_SECONDS
            return self._value


class _Complaints(logging.Filter):
    """What the client logs of a failing login plugin, instead of raising it."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep it from the screen."""
        if record.module != "kube_config":
            return True
        self.said.append(one_line(record.getMessage())[:_LONGEST_COMPLAINT])
        return False


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Listen at the root logger, where the client logs. With a handler there, it does not set one up for the whole process."""
    root, complaints, mute = logging.getLogger(), _Complaints(), logging.NullHandler()
    root.addFilter(complaints)
    root.addHandler(mute)
    try:
        yield complaints.said
    finally:
        root.removeFilter(complaints)
        root.removeHandler(mute)
