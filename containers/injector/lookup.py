"""Finding a target's network namespace: at a path, the node's own, or a container's from nothing but /proc; no runtime's socket is asked."""

from __future__ import annotations

import os
import threading

from membership import Membership, members, of_process, read
from namespaces import name_files, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Absent(Exception):
    """There is no such namespace on this node."""


class HostNetwork(Exception):
    """The target has no network namespace but its node's."""


class Found:
    """An open network namespace, and below which root its name service files are.

    `folder` leads to the process that it was found by and to no other, even if its number is given to a new one.
    """

    def __init__(self, namespace: int, root: str = "", etc: str = "") -> None:
        self.namespace, self.root, self.etc, self.folder = namespace, root, etc, -1

    def name_files(self) -> dict[str, str]:
        """The target's hosts and resolv.conf. Raises OSError."""
        return name_files(self.root, self.etc) if self.root else {}

    def close(self) -> None:
        """Let go of all of it."""
        for descriptor in {self.namespace, self.folder} - {-1}:
            os.close(descriptor)
        self.namespace = self.folder = -1


class Processes:
    """The processes of the node by container and pod: looked through once for all targets, and again where what was found is gone."""

    def __init__(self, root: str = "/proc") -> None:
        self.root, self.lock = root, threading.Lock()
        self.scanned: dict[int, Membership] | None = None

    def locate(self, find: dict[str, Any], *, node: bool) -> Found:
        """What the `find` of a target asks for; only the target `node` may be the node itself. Raises Absent, HostNetwork or OSError."""
        if "container" in find:
            return self.of_container(find["container"], find["pod"])
        found = self._host() if "host" in find else Found(os.open(find["netns"], os.O_RDONLY | os.O_CLOEXEC), root=find.get("etc", ""))
        if not node and same(found.namespace, find.get("host_netns", f"{self.root}/1/ns/net")):
            found.close()
            raise HostNetwork
        return found

    def _host(self) -> Found:
        found = None if os.getpid() == 1 else self._open(1)
        if found is None:
            raise Absent("the node's own network namespace is not to be seen from here; the injector's pod needs hostPID: true")
        return found

    def of_container(self, container: str, pod: str) -> Found:
        """By the oldest process of the container itself, or else of its pod. Raises Absent, HostNetwork or OSError."""
        wanted, in_host = container.rpartition("/")[2], False
        for fresh in (False, True):
            scanned = self._scan(fresh=fresh)
            for pid in self._candidates(scanned, wanted, pod):
                found = self._open(pid, scanned[pid])
                if found and not same(found.namespace, f"{self.root}/1/ns/net"):
                    return found
                if found:
                    found.close()
                    in_host = True
            if in_host:
                raise HostNetwork
        raise Absent(f"no process of container {container} or pod {pod}: is it still running on this node? (the injector's pod needs hostPID: true)")

    def _scan(self, *, fresh: bool) -> dict[int, Membership]:
        with self.lock:
            if self.scanned is None or fresh:
                self.scanned = members(self.root)
            return self.scanned

    def _candidates(self, scanned: dict[int, Membership], container: str, pod: str) -> list[int]:
        """The best first: those of the container itself before those of its pod, its own control group before one below it, old before young."""
        own = [pid for pid, one in scanned.items() if one.container == container]
        others = [pid for pid, one in scanned.items() if one.pod == pod and one.container != container]
        return [*sorted(own, key=lambda pid: (scanned[pid].depth, self._age(pid))), *sorted(others, key=self._age)]

    def _age(self, pid: int) -> tuple[int, int]:
        """Numbers are given again, so that the lower one of two may be the younger."""
        fields = read(f"{self.root}/{pid}/stat").rpartition(")")[2].split()
        return (int(fields[19]) if len(fields) > 19 else 0, pid)

    def _open(self, pid: int, expected: Membership | None = None) -> Found | None:
        """Hold a process and its namespace; None if it has ended, or the number has gone to another one meanwhile."""
        found = Found(-1)
        try:
            found.folder = os.open(f"{self.root}/{pid}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            folder = f"/proc/self/fd/{found.folder}"
            if expected is None or of_process(folder) == expected:
                found.namespace = os.open(f"{folder}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
                found.root, found.etc = f"{folder}/root", "etc"
                return found
        except (FileNotFoundError, ProcessLookupError):
            pass
        except OSError:
            found.close()
            raise
        found.close()
        return None
