"""What the API server's refusals mean, and what to do about them (pure)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...model.wording import one_line
from .api import ApiProblem, Object, Query
from .backoff import Passing

GONE, CONFLICT, FORBIDDEN, UNAUTHORIZED, NOT_FOUND = 410, 409, 403, 401, 404
_PASSING = (429, 500, 502, 503, 504)
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}
# A websocket is opened by GET; from Kubernetes 1.35 the permission to create is asked for as well.
_STREAMS = ("attach", "exec", "portforward")
_LONGEST_TEXT, _LONGEST_BODY = 1000, 200
# The kubelet's 500 for a log or a standard input whose container is no more.
_OF_NO_CONTAINER = " not found in pod "
_BUSY = "the API server is overloaded, starting or ending; try again when `kubectl get --raw /readyz` says ok"
_BROKEN = "something behind the API server failed: a webhook, the kubelet or etcd; the message tells which, its log tells why"
_UNPERMITTED = re.compile(r'User "(?P<user>[^"]*)" cannot ')


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as the caller asks for it."""

    method: str
    path: str
    query: Query = ()
    body: Object | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """As whom, and where, a request is made: the context, the user, and the plugin that logs in (or empty)."""

    name: str
    user: str
    plugin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What a request needs of RBAC. `resource` is empty for a path that is no resource, such as `/version`."""

    verbs: tuple[str, ...]
    resource: str
    group: str = ""
    namespace: str = ""
    path: str = ""

    @property
    def rule(self) -> str:
        """The rule to add, as YAML on one line."""
        verbs = json.dumps(list(self.verbs))
        if not self.resource:
            return f"{{nonResourceURLs: {json.dumps([self.path])}, verbs: {verbs}}}"
        return f"{{apiGroups: {json.dumps([self.group])}, resources: {json.dumps([self.resource])}, verbs: {verbs}}}"

    @property
    def role(self) -> str:
        """Where the rule belongs."""
        return f"a Role in namespace {self.namespace}" if self.namespace else "a ClusterRole"

    def __str__(self) -> str:
        """For a sentence: `list deployments.apps in namespace shop`."""
        thing = f"{self.resource}{'.' if self.group else ''}{self.group}" if self.resource else self.path
        return f"{' and '.join(self.verbs)} {thing}{f' in namespace {self.namespace}' if self.namespace else ''}"


def permission(request: Request) -> Permission:
    """What RBAC must allow for this request, from its method, path and query."""
    first, *parts = request.path.strip("/").split("/")
    group, parts = ("", parts[1:]) if first == "api" else ("".join(parts[:1]), parts[2:])
    if first not in ("api", "apis") or not parts:
        return Permission(verbs=(request.method.lower(),), resource="", path=request.path)
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 2 and parts[2] not in ("status", "finalize"):
        namespace, parts = parts[1], parts[2:]
    resource, name, subresource = (*parts[:3], "", "", "")[:3]
    verbs = ("create", "get") if subresource in _STREAMS else (_verb(request, bool(name)),)
    return Permission(verbs=verbs, resource=f"{resource}/{subresource}" if subresource else resource, group=group, namespace=namespace)


def _verb(request: Request, named: bool) -> str:
    if request.method == "DELETE":
        return "delete" if named else "deletecollection"
    if request.method == "GET":
        watches = ("watch", "true") in request.query or ("watch", "1") in request.query
        return "watch" if watches else "get" if named else "list"
    return _VERBS[request.method]


def place(who: Who, request: Request) -> str:
    """Where a problem happened, for the user."""
    return f"{who.name}: {request.method} {request.path}"


def refusal(who: Who, request: Request, status: int, body: bytes, headers: Mapping[str, str]) -> ApiProblem:
    """The problem that an answer other than 2xx stands for."""
    said = _status(body)
    message = one_line(str(said.get("message") or body[:_LONGEST_BODY].decode(errors="replace").strip() or f"HTTP status {status}"))[:_LONGEST_TEXT]
    reason, where = str(said.get("reason") or ""), place(who, request)
    if status in _PASSING and _OF_NO_CONTAINER not in message:
        after = _seconds(headers.get("Retry-After")) or _seconds((said.get("details") or {}).get("retryAfterSeconds"))
        what = f"the API server answers {status}: {message}"
        remedy = _BROKEN if status == 500 else _BUSY
        return Passing(what, where, remedy, status=status, reason=reason, after=after, perhaps_done=status not in (429, 503))
    if status == UNAUTHORIZED:
        return unauthorized(who, where, message)
    if status == FORBIDDEN:
        what, remedy = _forbidden(who, request, message)
        return ApiProblem(what, where, remedy, status=status, reason=reason)
    return ApiProblem(message, where, status=status, reason=reason)


def unauthorized(who: Who, where: str, message: str) -> ApiProblem:
    """Credentials that are expired, revoked or were never valid."""
    what = f"the API server does not accept the credentials of {who.user}: {message}"
    if who.plugin:
        remedy = f"they come from the plugin `{who.plugin}`: log in with it again"
    else:
        remedy = "they have expired or were revoked: log in again the way this kubeconfig was made"
    return ApiProblem(what, where, f"{remedy}; `kubectl --context {who.name} auth whoami` tells whether it worked", status=401, reason="Unauthorized")


def _forbidden(who: Who, request: Request, message: str) -> tuple[str, str]:
    denied = _UNPERMITTED.search(message)
    if not denied:
        return message, "the cluster's admission rules refused it, not RBAC: change what the message names, or use another namespace"
    needed = permission(request)
    if denied["user"] == "system:anonymous":
        return f"the API server takes {who.user} for system:anonymous, who may not {needed}", "these credentials are empty or not valid: log in again"
    return f"{denied['user']} may not {needed}", f"add to {needed.role} that is bound to {denied['user']}: {needed.rule}"


def _status(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _seconds(text: object) -> float | None:
    """`Retry-After` in seconds; a date is as good as nothing: clocks differ."""
    return float(str(text)) if str(text).isdecimal() else None


def created_by(request: Request) -> str:
    """The path of the object that a POST makes; empty where it cannot be told."""
    name = ((request.body or {}).get("metadata") or {}).get("name", "")
    return f"{request.path}/{name}" if request.method == "POST" and name else ""
