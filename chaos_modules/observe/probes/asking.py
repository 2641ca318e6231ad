"""How each probe is asked: what the sampler of a probe calls."""

from __future__ import annotations

from collections.abc import Callable

from ...model.errors import ClusterProblem
from ...model.observation import Sample
from ...model.probe import CommandProbe, HttpProbe, ObjectProbe, Probe
from ..network_namespace import Source, Sources
from .asking_command import ask_command
from .asking_http import ask_http
from .asking_object import Read, ask_object


def asker(probe: Probe, sources: Sources | None, read: Read | None) -> Callable[[], Sample]:
    """Asks the probe once per call. `sources` finds the sandbox's pod `namespace/pod`, `read` makes a GET of the cluster's API; None: there is none.

    Prometheus probes are not asked: their samples come from Prometheus' own history. Raises ClusterProblem for what this cluster does not have.
    """
    what, seconds = probe.what, probe.timeout_seconds
    if isinstance(what, HttpProbe):
        source = _source(probe, what.source, sources)
        return lambda: ask_http(what, seconds, source)
    if isinstance(what, CommandProbe):
        source = _source(probe, what.source, sources)
        return lambda: ask_command(what, seconds, source)
    if isinstance(what, ObjectProbe):
        if read is None:
            raise ClusterProblem("there is no Kubernetes API to look at objects", f"probe {probe.name}", "use an http or a command probe")
        return lambda: ask_object(what, read)
    raise TypeError(f"the probe {probe.name} is read from Prometheus")


def _source(probe: Probe, path: str, sources: Sources | None) -> Source | None:
    if not path:
        return None
    if sources is None:
        raise ClusterProblem("only the sandbox has pods to ask from", f"probe {probe.name}: from {path}", "leave out `from`")
    return sources(path)
