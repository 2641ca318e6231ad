"""The sandbox without root: this process becomes root of a user namespace of its own, with mounts and a network that nobody else sees.

It is done to the running process, before it has threads, and not to a copy of it: exit code, signals, terminal and files need no relay.
Everything in there ends with the last process inside, so that nothing can be left behind on the machine.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Mapping
from pathlib import Path

from ...model.errors import ClusterProblem
from .layout import NETNS_DIRECTORY
from .state import STATE_DIRECTORY

_CLONE_NEWNS, _CLONE_NEWUSER, _CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18
_RUN = Path("/run")
_OURS = {NETNS_DIRECTORY.name, STATE_DIRECTORY.name}
_C_LIBRARY = ctypes.CDLL(None, use_errno=True)
# Of each setting: the value that stands in the way, what that means, and how to lift it.
_SETTINGS = {
    "kernel.unprivileged_userns_clone": ("0", "only root may make them", "sudo sysctl kernel.unprivileged_userns_clone=1"),
    "user.max_user_namespaces": ("0", "nobody may make any", "sudo sysctl user.max_user_namespaces=10000"),
    "kernel.apparmor_restrict_unprivileged_userns": (
        "1",
        "AppArmor takes the rights inside away",
        "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
}


def enter_unless_root() -> None:
    """Become root of a new user namespace; nothing happens to root. Raises ClusterProblem where the kernel refuses."""
    if os.geteuid() == 0:
        return
    user, group = os.geteuid(), os.getegid()
    try:
        _call(_C_LIBRARY.unshare(_CLONE_NEWUSER | _CLONE_NEWNS | _CLONE_NEWNET), "unshare")
        own = Path("/proc/self")
        (own / "setgroups").write_text("deny", encoding="ascii")  # the kernel's condition for mapping the group without root
        (own / "uid_map").write_text(f"0 {user} 1", encoding="ascii")
        (own / "gid_map").write_text(f"0 {group} 1", encoding="ascii")
        _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
        _replace_run()
    except OSError as error:
        raise refusal(error, _settings()) from error


def _replace_run() -> None:
    """A /run to write in. What was there stays visible, because records, commands or this program may be below it (/run/user, /run/media)."""
    before = os.open(_RUN, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _mount("tmpfs", str(_RUN), "tmpfs", 0)
        for old in Path(f"/proc/self/fd/{before}").iterdir():
            try:
                _keep(old)
            except OSError:
                continue  # a folder that is nobody's but root's
    finally:
        os.close(before)


def _keep(old: Path) -> None:
    new = _RUN / old.name
    if old.name in _OURS:
        return
    if old.is_symlink():
        new.symlink_to(old.readlink())
    elif old.is_dir():
        new.mkdir()
        _mount(str(old), str(new), None, _MS_BIND | _MS_REC)


def _mount(source: str, target: str, kind: str | None, flags: int) -> None:
    encoded = None if kind is None else kind.encode()
    _call(_C_LIBRARY.mount(os.fsencode(source), os.fsencode(target), encoded, ctypes.c_ulong(flags), None), f"mount {target}")


def _call(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _settings() -> dict[str, str]:
    """The values of the kernel's settings that exist here."""
    found = {}
    for name in _SETTINGS:
        try:
            found[name] = Path("/proc/sys", *name.split(".")).read_text(encoding="ascii").strip()
        except OSError:
            continue
    return found


def refusal(error: OSError, settings: Mapping[str, str]) -> ClusterProblem:
    """What the kernel refused, why as far as its settings tell, and what to do."""
    what = "the sandbox needs root, or a user namespace of its own"
    for name, (obstacle, meaning, remedy) in _SETTINGS.items():
        if settings.get(name) == obstacle:
            return ClusterProblem(f"{what}: {meaning} ({name} is {obstacle})", "sandbox", f"run it with sudo, or allow it: {remedy}")
    if error.errno in (errno.EINVAL, errno.ENOSYS):
        return ClusterProblem(f"{what}: this kernel has none ({error.strerror})", "sandbox", "run it with sudo")
    why = "too many are in use" if error.errno == errno.ENOSPC else "something refuses it, such as a container's seccomp filter"
    remedy = "run it with sudo; in a container, start that with --privileged, or with --security-opt seccomp=unconfined"
    return ClusterProblem(f"{what}: {why} ({error.strerror})", "sandbox", remedy)
