"""Wrong scenario files: each has its own message, at the exact place, and one run shows all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos_modules.loading.documents import load_yaml
from chaos_modules.model.errors import EXIT_BAD_INPUT, BadInput, BadInputs
from chaos_modules.styles.registry import styles

LOSS = "- id: pod-network-loss\n  workload: {namespace: shop, labels: app=web}\n"
RATE = "- id: pod-network-rate-limit\n  workload: {namespace: shop, labels: app=web}\n"
DUPLICATION = "- id: pod-network-duplication\n  workload: {namespace: shop, labels: app=web}\n"

CORPUS = {
    "tab": ("- id: a\n\tworkload: b\n", [("2:1", "a tab where YAML expects spaces")]),
    "colon in a value": ("- id: a: b\n", [("1:8", "a colon that YAML cannot read")]),
    "no colon": ("- id: a\n  workload\n  x: 1\n", [("3:3", "YAML")]),
    "open quote": ('- id: "pod\n', [("2:1", "still open")]),
    "open bracket": ("- id: [a, b\n", [("2:1", "bracket")]),
    "indentation": ("- id: a\n   x: 1\n- id: b\n  x: 1\n y: 1\n", [("2:5", "YAML")]),
    "two documents": ("- id: a\n---\n- id: b\n", [("2:1", "a second document")]),
    "duplicate key": ("- id: a\n  id: b\n", [("2:3", "id: given twice, first at {file}:1:3")]),
    "undefined alias": ("- id: *nowhere\n", [("1:7", "without its anchor")]),
    "number as a key": ("- 1: a\n", [("1:3", "the key '1' is not text")]),
    "list as a key": ("- [a]: b\n", [("1:3", "a list or a mapping is not text")]),
    "python tag": ("- !!python/object:os.system {}\n", [("1:3", "tag !!python/object:os.system")]),
    "own tag": ("- id: !secret x\n", [("1:7", "tag !secret")]),
    "control character": ('- id: "a\\x07b"\n', [("1:7", "control character")]),
    "raw control character": ("- id: a\x07b\n", [("1:8", "control character")]),
    "empty": ("# nothing\n", [("1:1", "the file is empty")]),
    "empty list": ("[]\n", [("1:1", "the list is empty")]),
    "text only": ("hello\n", [("1:1", "'hello' is not a scenario entry")]),
    "null entry": ("- id: pod-network-loss\n  TARGET_PODS: a\n  APP_NAMESPACE: b\n-\n", [("4:2", "None is not a scenario entry")]),
    "no id": ("- workload: {}\n", [("1:3", "id: required")]),
    "misspelled id": ("- id: pod-network-los\n", [("1:7", "did you mean pod-network-loss?")]),
    "list as an id": ("- id: []\n", [("1:7", "id: [] is not a fault")]),
    "id of another kind": ("- id: 7\n", [("1:7", "id: 7 is not a fault")]),
    "unknown key": (LOSS + "  TOTAL_CHAOS_DURATON: 5\n", [("3:3", "did you mean TOTAL_CHAOS_DURATION?")]),
    "another fault's key": (LOSS + "  NETWORK_BANDWIDTH: 1mbit\n", [("3:3", "NETWORK_BANDWIDTH: unknown key")]),
    "mixed case": (LOSS + "  Direction: both\n", [("3:3", "did you mean DIRECTION?")]),
    "both cases": (LOSS + "  direction: both\n  DIRECTION: egress\n", [("4:3", "direction and DIRECTION are the same tunable")]),
    "old and new name": (LOSS + "  APPNS: a\n  APP_NAMESPACE: b\n", [("4:3", "APPNS and APP_NAMESPACE are the same")]),
    "no target": ("- id: pod-network-loss\n  TOTAL_CHAOS_DURATION: 5\n", [("1:3", "names no pods")]),
    "workload without which": ("- id: pod-network-loss\n  workload: {namespace: shop}\n", [("1:3", "names no pods")]),
    "no namespace": ("- id: pod-network-loss\n  TARGET_PODS: web-0\n", [("1:3", "names no namespace")]),
    "workload without namespace": ("- id: pod-network-loss\n  workload: {labels: app=web}\n", [("2:3", "workload.namespace: required")]),
    "two workloads": (LOSS + "  APP_LABEL: app=web\n", [("1:3", "workload and APP_LABEL both name the workload")]),
    "kind without label": ("- id: pod-network-loss\n  APP_KIND: job\n  APP_NAMESPACE: shop\n", [("1:3", "APP_KIND without APP_LABEL")]),
    "names and labels": (
        "- id: pod-network-loss\n  workload: {namespace: a, kind: job, names: b, labels: c=d}\n", [("2:13", "both names and labels")],
    ),
    "names without kind": ("- id: pod-network-loss\n  workload: {namespace: a, names: b}\n", [("2:13", "names but no kind")]),
    "unknown kind": (
        "- id: pod-network-loss\n  workload: {namespace: a, kind: deploymnt, names: b}\n", [("2:34", "did you mean deployment?")],
    ),
    "workload is text": ("- id: pod-network-loss\n  workload: web\n", [("2:13", "'web' is not a mapping")]),
    "unknown workload key": (
        "- id: pod-network-loss\n  workload:\n    namespace: a\n    label: app=web\n", [("4:5", "did you mean labels?")],
    ),
    "bad selector": ("- id: pod-network-loss\n  workload: {namespace: a, labels: 'app=='}\n", None),
    "bad selector term": (
        "- id: pod-network-loss\n  workload: {namespace: a, labels: 'app=web,,'}\n", [("2:36", "empty term")],
    ),
    "selector is a mapping": (
        "- id: pod-network-loss\n  workload: {namespace: a, labels: {app: web}}\n", [("2:36", "is not a label selector")],
    ),
    "targets form": ("- id: pod-network-loss\n  TARGETS: deployment/web\n", [("2:12", "is not a target")]),
    "several targets": ("- id: pod-network-loss\n  TARGETS: 'job:a:[b];job:a:[c]'\n", [("2:12", "several workloads")]),
    "targets kind": ("- id: pod-network-loss\n  TARGETS: 'deploy:shop:[app=web]'\n", [("2:12", "TARGETS.kind: 'deploy'")]),
    "namespace name": ("- id: pod-network-loss\n  APP_LABEL: a=b\n  APP_NAMESPACE: a,b\n", [("3:18", "'a,b' is not a Kubernetes name")]),
    "target pods gap": ("- id: pod-network-loss\n  APP_NAMESPACE: a\n  TARGET_PODS: web-0,,web-1\n", [("3:16", "empty entry")]),
    "target pods name": ("- id: pod-network-loss\n  APP_NAMESPACE: a\n  TARGET_PODS: Web_0\n", [("3:16", "is not a Kubernetes name")]),
    "no unit known": (LOSS + "  TOTAL_CHAOS_DURATION: 5 days\n", [("3:25", "unknown unit 'days'")]),
    "zero duration": (LOSS + "  TOTAL_CHAOS_DURATION: 0\n", [("3:25", "no fault at all")]),
    "negative duration": (LOSS + "  TOTAL_CHAOS_DURATION: -5\n", [("3:25", "is negative")]),
    "boolean duration": (LOSS + "  TOTAL_CHAOS_DURATION: yes\n", [("3:25", "True is not a duration")]),
    "ramp": (LOSS + "  RAMP_TIME: soon\n", [("3:14", "'soon' is not a duration")]),
    "percentage above 100": (LOSS + "  NETWORK_PACKET_LOSS_PERCENTAGE: 101\n", [("3:35", "more than 100 %")]),
    "percentage of zero": (LOSS + "  NETWORK_PACKET_LOSS_PERCENTAGE: 0\n", [("3:35", "no fault at all")]),
    "percentage unit": (DUPLICATION + "  NETWORK_PACKET_DUPLICATION_PERCENTAGE: 5x\n", [("3:42", "unknown unit 'x'")]),
    "correlation": (DUPLICATION + "  CORRELATION: high\n", [("3:16", "'high' is not a percentage")]),
    "share of pods": (LOSS + "  POD_AFFECTED_PERCENTAGE: 75-25\n", [("3:28", "rising order")]),
    "sequence": (LOSS + "  SEQUENCE: random\n", [("3:13", "valid: parallel, serial")]),
    "direction": (LOSS + "  DIRECTION: outgress\n", [("3:14", "did you mean egress?")]),
    "only a comma": (LOSS + "  DESTINATION_IPS: ','\n", [("3:20", "empty entry")]),
    "blank list": (LOSS + "  DESTINATION_PORTS: ' '\n", [("3:22", "empty entry")]),
    "list without entries": (LOSS + "  DESTINATION_PORTS: []\n", [("3:22", "empty entry")]),
    "nested list": (LOSS + "  SOURCE_PORTS: [[80]]\n", [("3:17", "empty entry")]),
    "mapping for a list": (LOSS + "  SOURCE_PORTS: {a: 1}\n", [("3:17", "is not a list")]),
    "malformed address": (LOSS + "  DESTINATION_IPS: 10.0.0.256\n", [("3:20", "'10.0.0.256' is not an address")]),
    "name as an address": (LOSS + "  DESTINATION_IPS: api.shop\n", [("3:20", "DESTINATION_HOSTS")]),
    "host bits": (LOSS + "  DESTINATION_IPS: 10.0.0.5/24\n", [("3:20", "write 10.0.0.0/24 for the network or 10.0.0.5")]),
    "address as a host": (LOSS + "  DESTINATION_HOSTS: 10.0.0.5\n", [("3:22", "write it in DESTINATION_IPS")]),
    "link as a host": (LOSS + "  DESTINATION_HOSTS: http://a/\n", [("3:22", "without scheme")]),
    "port zero": (LOSS + "  SOURCE_PORTS: 0\n", [("3:17", "'0' is not a port")]),
    "port too high": (LOSS + "  DESTINATION_PORTS: 80,65536\n", [("3:22", "'65536' is not a port")]),
    "ports backwards": (LOSS + "  DESTINATION_PORTS: 90-80\n", [("3:22", "'90-80' is not a port")]),
    "exclusion within": (LOSS + "  DESTINATION_PORTS: 80,!443\n", [("3:22", "write it once, in front")]),
    "ports twice": (LOSS + "  DESTINATION_IPS: 10.0.0.1|80\n  DESTINATION_PORTS: 81\n", [("4:22", "ports of its own")]),
    "piped port": (LOSS + "  DESTINATION_IPS: 10.0.0.1|http\n", [("3:20", "'http' is not a port")]),
    "protocol": (LOSS + "  PROTOCOLS: tpc\n", [("3:14", "did you mean tcp?")]),
    "ports of icmp": (LOSS + "  SOURCE_PORTS: 80\n  PROTOCOLS: icmp\n", [("4:14", "icmp has no ports")]),
    "interface": (LOSS + "  NETWORK_INTERFACE: a-name-too-long-for-it\n", [("3:22", "is not an interface name")]),
    "runtime": (LOSS + "  CONTAINER_RUNTIME: cri-o\n", [("3:22", "did you mean crio?")]),
    "socket": (LOSS + "  SOCKET_PATH: /var/run/docker.sock\n", [("3:16", "the socket of docker")]),
    "rate unit": (RATE + "  NETWORK_BANDWIDTH: 1 megabit\n", [("3:22", "unknown unit 'megabit'")]),
    "rate too small": (RATE + "  NETWORK_BANDWIDTH: 1bit\n", [("3:22", "outside 8bit")]),
    "burst too small": (RATE + "  BURST: 1kb\n", [("3:10", "full Ethernet frame")]),
    "limit too small": (RATE + "  LIMIT: 100\n", [("3:10", "full Ethernet frame")]),
    "peak without bucket": (RATE + "  PEAK_RATE: 2mbit\n", [("3:14", "PEAK_RATE needs MIN_BURST")]),
    "peak below rate": (RATE + "  PEAK_RATE: 1mbit\n  MIN_BURST: 1540\n", [("3:14", "is not above NETWORK_BANDWIDTH (1mbit)")]),
    "container is a number": (LOSS + "  TARGET_CONTAINER: 7\n", [("3:21", "7 is not text")]),
    "several at once": (
        LOSS + "  RAMP_TIME: x\n  SOURCE_PORTS: y\n- id: nothing\n",
        [("3:14", "RAMP_TIME: 'x'"), ("4:17", "SOURCE_PORTS: 'y'"), ("5:7", "'nothing' is not a fault")],
    ),
}


def flattened(error: BadInput) -> list[BadInput]:
    return error.problems if isinstance(error, BadInputs) else [error]


@pytest.mark.parametrize("name", CORPUS)
def test_every_wrong_file_is_refused_with_its_message_and_place(name: str, tmp_path: Path) -> None:
    text, expected = CORPUS[name]
    file = tmp_path / "scenario.yaml"
    file.write_text(text, encoding="utf-8")
    if expected is None:
        # `app==` asks for an empty value, as in Kubernetes.
        styles()["pod_network_fault_scenarios"].translate(load_yaml(file))
        return
    with pytest.raises(BadInput) as caught:
        styles()["pod_network_fault_scenarios"].translate(load_yaml(file))
    problems = flattened(caught.value)
    assert [problem.where for problem in problems] == [f"{file}:{place}" for place, _ in expected]
    for problem, (_, fragment) in zip(problems, expected, strict=True):
        assert fragment.replace("{file}", str(file)) in str(problem)
        assert problem.remedy
        assert caught.value.exit_code == EXIT_BAD_INPUT


def test_the_corpus_is_large_enough() -> None:
    assert sum(expected is not None for _, expected in CORPUS.values()) >= 70
