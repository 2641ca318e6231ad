"""Files that are not one readable document of plain data, whatever their bytes, never block, blow up or run anything."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos_modules.loading.documents import LARGEST, load_yaml
from chaos_modules.loading.nodes import DEEPEST, read
from chaos_modules.model.errors import BadInput, BadInputs

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]\n" for before, after in zip("abcdefg", "bcdefgh", strict=True)
)
BYTES = {
    "not UTF-8": (b"a: 1\nb: \xff\n", "2:4", "not UTF-8: byte 8 is 0xff"),
    "UTF-16": ("a: 1".encode("utf-16"), "1:1", "byte 0 is 0xff"),
    "truncated UTF-8": ("a: é".encode()[:-1], "1:4", "not UTF-8: byte 3"),
    "NUL": (b"a: 1\nb: \x00\n", "2:4", "control character '\\x00'"),
    "too large": (b"#" * (LARGEST + 1), "1:1", "larger than 1 MiB"),
    "too deep": (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), f"1:{DEEPEST + 1}", "nested deeper than 50"),
    "far too deep": (b"[" * 100_000, f"1:{DEEPEST + 1}", "nested deeper than 50"),
    "alias bomb": (BOMB.encode(), None, "more than 25000 values, aliases expanded"),
    "alias of itself": (b"a: &a [*a]\n", "1:4", "an alias must not contain itself"),
    "merge of itself": (b"a: &a\n  <<: *a\n", "1:4", "an alias must not contain itself"),
    "merge of a text": (b"a: &a text\nb:\n  <<: *a\n", "1:4", "a merge key (<<)"),
    "null key": (b"~: 1\n", "1:1", "the key '~' is not text"),
    "binary": (b"a: !!binary aGk=\n", "1:4", "the tag !!binary"),
    "set": (b"a: !!set {b}\n", "1:4", "the tag !!set"),
    "delete in a text": (b'a: "\\x7f"\n', "1:4", "the control character '\\x7f'"),
}


@pytest.mark.parametrize("name", BYTES)
def test_wrong_bytes(name: str, tmp_path: Path) -> None:
    content, place, fragment = BYTES[name]
    file = tmp_path / "file.yaml"
    file.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        load_yaml(file)
    assert fragment in str(caught.value)
    assert caught.value.remedy
    assert caught.value.where == f"{file}:{place}" or place is None


def test_what_is_not_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    expected = {
        "nothing": "no such file", ".": "is a directory", "fifo": "is a FIFO", "socket": "is a socket", "loop": "cannot be read",
        "file/below": "cannot be read", "n" * 300: "cannot be read", "a\0b": "not a path",
    }
    for name, fragment in expected.items():
        with pytest.raises(BadInput) as caught:
            load_yaml(f"{tmp_path}/{name}")
        assert fragment in caught.value.what
        assert caught.value.where.startswith(f"{tmp_path}/")
        assert caught.value.where.endswith(":1:1")
        assert "\0" not in str(caught.value)
    with pytest.raises(BadInput, match="is a character device"):
        load_yaml("/dev/null")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "file").touch()
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(BadInput, match="cannot be read: Permission denied"):
        load_yaml(tmp_path / "file")


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab:-#&*!|>'\"%@`{}[],? \n\t\\<0~é\x00\u2028"), max_size=40))
def test_no_text_does_anything_but_load_or_be_refused(text: str) -> None:
    try:
        tree = read(text, "file")
    except BadInputs as error:
        assert all(problem.where.startswith("file:") and problem.remedy for problem in error.problems)
    except BadInput as error:
        assert error.where.startswith("file:")
        assert error.remedy
    else:
        assert () in tree.values
