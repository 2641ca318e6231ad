"""Whether a plan can be executed in a cluster: three requests in `run`; `check` asks for more, and starts a pod where it must."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from ...model.check import Check, CheckState, require, skipped, warning
from ...model.plan import Plan
from ...model.target import Node
from ...model.workload import COMPONENT_LABEL, RUN_LABEL, InjectionWorkload
from .api import Api, ApiProblem, Object, pods_path
from .checks import ROLES, admission_checks, api_check, leftovers_check, permissions_check, unreachable, version
from .image import image_check, probe_image, without_image
from .manifest import image_warnings, labels, pod_manifest, pod_template
from .permissions import CARRIERS, HOSTS, TARGET_EVENTS, TARGETS, Rule, granted, lacking, needed
from .scheduling import concerned, node_checks

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """One plan before one cluster. `nodes` are all nodes of the snapshot; `thorough` is what `check` asks and `run` has no time for.

    `hiding` are namespaces that are there, in which a host may be a Service and may not be looked up.
    """

    api: Api
    plan: Plan
    nodes: Sequence[Node]
    workload: InjectionWorkload
    cleanup: str
    stop: bool = False
    target_events: bool = False
    hiding: Sequence[str] = ()
    thorough: bool = False

    def checks(self) -> list[Check]:
        """All of them, whatever fails."""
        answer = self._version()
        if answer.state is CheckState.FAILED:
            return [answer]
        allowed, admission = list(self._permissions()), self._admission()
        found = [answer, *allowed, *admission, *self._leftovers(), *node_checks(self.plan, self.nodes, self.workload)]
        return [*found, *self._image(admitted=admission[-1].state is CheckState.PASSED)]

    def _version(self) -> Check:
        """No kubelet is newer than its API server, so that a run need not ask."""
        kubelets = [node.kubelet_version for node in self.nodes if version(node.kubelet_version)]
        if kubelets and not self.thorough:
            return api_check(max(kubelets, key=lambda text: version(text) or (0, 0)))
        try:
            return api_check(str(self.api.call("GET", "/version").get("gitVersion", "")))
        except ApiProblem as problem:
            return unreachable(problem)

    def _permissions(self) -> Iterator[Check]:
        features = ("run", "on_runner_loss: stop") if self.stop else ("run",)
        yield self._reviewed(self.workload.namespace, needed(CARRIERS, features))
        if self.target_events:
            targets = [injection.target for scenario in self.plan.scenarios for injection in scenario.injections]
            for namespace in dict.fromkeys(target.namespace for target in targets if target.namespace):
                yield self._reviewed(namespace, needed(TARGET_EVENTS, {"target_events"}))
        for namespace in self.hiding:
            yield self._reviewed(namespace, needed(TARGETS, {HOSTS}))

    def _reviewed(self, namespace: str, rules: Sequence[Rule]) -> Check:
        """One request for all; what it does not prove is asked one by one, for not every authorizer lists its rules."""
        try:
            grants = self._review("Rules", {"namespace": namespace}).get("resourceRules") or ()
            missing = lacking(lacking(rules, partial(granted, grants)), partial(self._may, namespace))
        except ApiProblem as problem:
            return warning("permissions", f"what is allowed in namespace {namespace} could not be asked: {problem.what}", problem.remedy or ROLES)
        return permissions_check(missing, rules, namespace)

    def _may(self, namespace: str, rule: Rule, verb: str) -> bool:
        resource, _, subresource = rule.resource.partition("/")
        about = {"namespace": namespace, "group": rule.group, "resource": resource, "subresource": subresource, "verb": verb}
        return bool(self._review("Access", {"resourceAttributes": about}).get("allowed"))

    def _review(self, kind: str, spec: Object) -> Object:
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": f"SelfSubject{kind}Review", "spec": spec}
        return dict(self.api.call("POST", f"{_REVIEWS}{kind.lower()}reviews", body=body).get("status") or {})

    def _admission(self) -> list[Check]:
        """The real carrier pod of one node, checked by everything that checks pods, and not kept."""
        nodes, run = concerned(self.plan, self.nodes, self.workload), self.plan.run_id
        template = pod_template(self.workload, nodes[0].name if nodes else "", labels(run, "injector"), ("SQUALL_JOB", "{}"))
        try:
            self.api.call("POST", self._pods, query=[("dryRun", "All")], body=pod_manifest(self.workload, f"squall-{run}-dry-run", template))
        except ApiProblem as problem:
            return admission_checks(problem, self.workload)
        return admission_checks(None, self.workload)

    @property
    def _pods(self) -> str:
        return pods_path(self.workload.namespace)

    def _leftovers(self) -> list[Check]:
        try:
            carriers = self.api.list(self._pods, [("labelSelector", f"{RUN_LABEL},{COMPONENT_LABEL}=injector")]).items
        except ApiProblem as problem:
            return [skipped("leftovers", f"the carriers could not be listed: {problem.what}", problem.remedy or ROLES)]
        return leftovers_check(carriers, self.plan, self.cleanup)

    def _image(self, *, admitted: bool) -> list[Check]:
        """A pod is started only where the nodes' lists do not tell, and where it would be let in."""
        workload, nodes = self.workload, concerned(self.plan, self.nodes, self.workload)
        if not nodes:
            return [skipped("image", "there is no node to look at", "see nodes")]
        surprises = [warning("image", text, "set squall.injector.image") for text in image_warnings(workload.image, workload.pull_policy)]
        listed = image_check(nodes, workload)
        if not self.thorough or listed.state is not CheckState.WARNING:
            return [*surprises, listed]
        if not admitted:
            return [*surprises, skipped("image", "no pod can be started to try it", "see pod-security, and check again")]
        node = (without_image(nodes, workload.image) or nodes)[0]
        try:
            return [*surprises, probe_image(self.api, workload, node.name, self.plan.run_id)]
        except ApiProblem as problem:
            return [*surprises, warning("image", f"it could not be tried on node {node.name}: {problem.what}", problem.remedy or ROLES)]


def refuse_unless_ready(preflight: Preflight) -> list[str]:
    """What is worth knowing all the same. Raises ClusterProblem with everything that failed."""
    found = preflight.checks()
    require(found, preflight.api.name)
    return [f"{check.name}: {check.seen}" for check in found if check.state is CheckState.WARNING]
