"""What the preflight makes of what it was told: one function per check, without a request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ...model.check import Check, failed, passed, skipped, warning
from ...model.plan import Plan
from ...model.workload import RUN_LABEL, InjectionWorkload
from .api import ApiProblem, Object
from .permissions import HOSTS, TARGETS, Rule, needed, written

OLDEST = (1, 21)
# Finished pods stay until the TTL of their Job; they hold nothing up.
_FINISHED = ("Succeeded", "Failed")
SETUP, ROLES = "kubectl apply -f containers/kubernetes/namespace.yaml", "kubectl apply -f containers/kubernetes/rbac.yaml"
# How an API server words a refusal of the carrier pod, and what to do then; the first that is found counts.
_REFUSALS = (
    ("violates PodSecurity", "kubectl label namespace {namespace} pod-security.kubernetes.io/enforce=privileged --overwrite"),
    ("security context constraint", "oc adm policy add-scc-to-user privileged -n {namespace} -z {account}"),
    ("error looking up service account", "kubectl create serviceaccount {account} -n {namespace}"),
    ("PriorityClass", "set squall.injector.priority_class to one of: kubectl get priorityclasses"),
    ("must specify|usage per", "set squall.injector.resources to what this allows: kubectl describe quota,limits -n {namespace}"),
    ("exceeded quota", "raise the quota: kubectl describe quota -n {namespace}"),
    ("admission webhook|ValidatingAdmissionPolicy", "exempt namespace {namespace} from that policy, or set squall.namespace to another"),
)  # fmt: skip
NOT_FOUND, FORBIDDEN, INVALID = 404, 403, 422


def version(text: str) -> tuple[int, int] | None:
    """Major and minor of `v1.36.2`, `v1.21.0-eks-1234`, …; None for anything else."""
    match = re.match(r"v?(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else None


def api_check(text: str) -> Check:
    """The version that the API server says it has."""
    found = version(text)
    if found is None:
        return warning("api", f"the API server answers, with version {text!a}", f"it should be {dotted(OLDEST)} or later: kubectl version")
    if found < OLDEST:
        return failed("api", f"Kubernetes {text} is older than {dotted(OLDEST)}", f"upgrade the cluster to {dotted(OLDEST)} or later")
    return passed("api", f"the API server answers ({text})")


def unreachable(problem: ApiProblem) -> Check:
    """No useful answer of the API server at all."""
    return failed("api", problem.what, problem.remedy or "kubectl cluster-info")


def dotted(number: tuple[int, int]) -> str:
    """A version as people write it."""
    return ".".join(map(str, number))


def permissions_check(missing: Sequence[Rule], asked: Sequence[Rule], namespace: str) -> Check:
    """Which verbs are missing in a namespace, with the rules to add."""
    if not missing:
        return passed("permissions", f"all {sum(len(rule.verbs) for rule in asked)} verbs that are needed in namespace {namespace} are allowed")
    seen = "; ".join(f"{', '.join(rule.verbs)} {rule.resource} ({rule.feature})" for rule in missing)
    return failed("permissions", f"not allowed in namespace {namespace}: {seen}", written(missing, namespace))


def hidden_service(namespace: str, name: str) -> Check:
    """A host that may be a Service, which may not be looked up."""
    seen = f"Service {name} in namespace {namespace} may not be looked up; if it is one, a filter by its name misses the pods behind it"
    return warning("permissions", seen, written(needed(TARGETS, {HOSTS}), namespace))


def admission_checks(refusal: ApiProblem | None, workload: InjectionWorkload) -> list[Check]:
    """The namespace and the verdict on the carrier pod, both by the dry-run of its creation."""
    namespace = workload.namespace
    there = passed("namespace", f"namespace {namespace} exists")
    if refusal is None:
        return [there, passed("pod-security", f"a pod such as the carriers' is admitted in namespace {namespace}")]
    if refusal.status == NOT_FOUND:
        unknown = skipped("pod-security", f"there is no namespace {namespace} to ask", "see namespace")
        return [failed("namespace", f"there is no namespace {namespace}", _create(namespace)), unknown]
    if "being terminated" in refusal.what:
        ending = failed("namespace", f"namespace {namespace} is being deleted", f"kubectl wait --for=delete namespace/{namespace}")
        return [ending, skipped("pod-security", f"namespace {namespace} takes nothing new", "see namespace")]
    # Authorisation comes before the namespace is looked up: its refusal does not tell whether it exists.
    unseen = skipped("namespace", f"whether namespace {namespace} exists was not told", f"kubectl get namespace {namespace}")
    if refusal.what.endswith(f" may not create pods in namespace {namespace}"):
        return [unseen, skipped("pod-security", "who may not create pods is not told", "see permissions")]
    refused = failed("pod-security", refusal.what, _mended(refusal.what, workload) or refusal.remedy or f"kubectl describe namespace {namespace}")
    return [there if refusal.status in (FORBIDDEN, INVALID) else unseen, refused]


def _create(namespace: str) -> str:
    if namespace == "squall":
        return SETUP
    return f"kubectl create namespace {namespace} && kubectl label namespace {namespace} pod-security.kubernetes.io/enforce=privileged"


def _mended(what: str, workload: InjectionWorkload) -> str:
    remedy = next((remedy for pattern, remedy in _REFUSALS if re.search(pattern, what)), "")
    return remedy.format(namespace=workload.namespace, account=workload.service_account or "default")


def leftovers_check(pods: Iterable[Object], plan: Plan, cleanup: str) -> list[Check]:
    """Carriers of other runs, and whether this run's id is taken."""
    pods = list(pods)
    runs = sorted({(_run(pod), _node(pod)) for pod in pods if pod.get("status", {}).get("phase") not in _FINISHED and _run(pod) != plan.run_id})
    if any(_run(pod) == plan.run_id for pod in pods):
        return [failed("leftovers", f"run {plan.run_id} is already there", f"{cleanup} --run {plan.run_id}")]
    if not runs:
        return [passed("leftovers", "no other run has a carrier there")]
    return [
        warning("leftovers", f"run {run} has a carrier on node {node}", f"if that run is dead: {cleanup} --run {run}") for run, node in runs
    ]


def _run(pod: Object) -> str:
    return str(pod["metadata"].get("labels", {}).get(RUN_LABEL, ""))


def _node(pod: Object) -> str:
    return str(pod.get("spec", {}).get("nodeName") or "(none yet)")
