"""Why a sandbox without root is refused, told by the kernel's settings and its error."""

from __future__ import annotations

import errno
import os

import pytest

from chaos_modules.clusters.sandbox import rootless
from chaos_modules.clusters.sandbox.rootless import refusal


@pytest.mark.parametrize(("number", "settings", "why", "remedy"), [
    (errno.EPERM, {"kernel.unprivileged_userns_clone": "0"}, "only root may make them", "sudo sysctl kernel.unprivileged_userns_clone=1"),
    (errno.ENOSPC, {"user.max_user_namespaces": "0"}, "(user.max_user_namespaces is 0)", "sudo sysctl user.max_user_namespaces=10000"),
    (errno.EACCES, {"kernel.apparmor_restrict_unprivileged_userns": "1"}, "AppArmor", "kernel.apparmor_restrict_unprivileged_userns=0"),
    (errno.EPERM, {"kernel.unprivileged_userns_clone": "1", "user.max_user_namespaces": "9"}, "seccomp filter (Operation not", "--privileged"),
    (errno.ENOSPC, {}, "too many are in use", "sudo"),
    (errno.EINVAL, {}, "this kernel has none", "run it with sudo"),
])  # fmt: skip
def test_a_refusal_tells_why_and_what_to_do(number: int, settings: dict[str, str], why: str, remedy: str) -> None:
    problem = refusal(OSError(number, os.strerror(number)), settings)
    assert problem.what.startswith("the sandbox needs root, or a user namespace of its own: ")
    assert why in problem.what
    assert "sudo" in problem.remedy
    assert remedy in problem.remedy


def test_root_needs_no_namespace_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(rootless, "_C_LIBRARY", None)
    rootless.enter_unless_root()


def test_only_settings_that_exist_are_asked() -> None:
    assert set(rootless._settings()) <= set(rootless._SETTINGS)
    assert all(value.lstrip("-").isdigit() for value in rootless._settings().values())
