"""Which kubeconfig and which context, and what is said of those that are none."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted_server import kubeconfig

from chaos_modules.clusters.kubernetes_api import connect
from chaos_modules.model.errors import BadInput

ONE_CONTEXT = "current-context: a\ncontexts: [{name: a, context: {cluster: c}}]"


def never(_: float) -> bool:
    return False


def test_a_given_file_the_variable_and_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home" / ".kube"
    home.mkdir(parents=True)
    kubeconfig(home / "config", "http://127.0.0.1:1")
    kubeconfig(tmp_path / "named", "http://127.0.0.1:2")
    kubeconfig(tmp_path / "given", "http://127.0.0.1:3/prefix/")
    assert connect(None, None, never).server == "http://127.0.0.1:1"
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'missing'}:{tmp_path / 'named'}")
    assert connect(None, None, never).server == "http://127.0.0.1:2"
    assert connect(str(tmp_path / "given"), "kind-test", never).server == "http://127.0.0.1:3/prefix"
    assert connect(str(tmp_path / "given"), "kind-test", never).name == "kind-test"


def test_of_several_files_the_first_current_context_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    kubeconfig(first, "http://127.0.0.1:1")
    kubeconfig(second, "http://127.0.0.1:2")
    second.write_text(second.read_text().replace("kind-dev", "other").replace("here", "there"))
    monkeypatch.setenv("KUBECONFIG", f"{first}:{second}")
    assert (connect(None, None, never).name, connect(None, None, never).server) == ("kind-dev", "http://127.0.0.1:1")
    assert connect(None, "other", never).server == "http://127.0.0.1:2"


def test_an_unknown_context_is_told_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        connect(kubeconfig(tmp_path / "config", "http://127.0.0.1:1"), "kind-tset", never)
    assert caught.value.what == "there is no context kind-tset"
    assert caught.value.remedy == "did you mean kind-test? valid: kind-dev, kind-test"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: [", "is not YAML"),
        ("just text", "this is not a kubeconfig"),
        ("- a", "this is not a kubeconfig"),
        ("", "this is not a kubeconfig"),
        ("contexts: {a: b}", "this is not a kubeconfig"),
        ("\x00\x01", "is not YAML"),
        ("contexts: []", "no context is chosen"),
        ("current-context: a", "there is no context a"),
        ("current-context: a\ncontexts: [7, {}, {name: a}]", "leads to no cluster with a server"),
        (f"{ONE_CONTEXT}\nclusters: [{{name: c, cluster: {{}}}}]", "leads to no cluster with a server"),
        (f"{ONE_CONTEXT}\nclusters: [{{name: c, cluster: {{server: 'https://h'}}}}, 7]", "cannot be used"),
        (f"{ONE_CONTEXT}\nclusters: [{{name: c, cluster: {{server: 7}}}}]", "cannot be used"),
        (f"{ONE_CONTEXT}\nclusters: [{{name: c, cluster: {{server: 'https://h', certificate-authority: none.pem}}}}]", "File does not exist"),
    ],
)  # fmt: skip
def test_a_kubeconfig_that_is_none(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "config"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BadInput, match=said) as caught:
        connect(str(path), None, never)
    assert str(path) in caught.value.where
    assert caught.value.remedy


def test_a_kubeconfig_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is not there"):
        connect(str(tmp_path / "missing"), None, never)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="not text in UTF-8"):
        connect(str(tmp_path / "binary"), None, never)


def test_no_cluster_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="there is no kubeconfig") as caught:
        connect(None, None, never)
    assert "--sandbox" in caught.value.remedy
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    with pytest.raises(BadInput, match="there is no kubeconfig with the context here"):
        connect(None, "here", never)
