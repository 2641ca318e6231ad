"""A source's names, and that a thread finds its way back."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos_modules.observe.network_namespace import Source, addresses_of
from chaos_modules.observe.not_asked import NotAsked

HOSTS = "127.0.0.1 localhost\n10.244.1.2 web-0 web-0.shop # the first\nfd00:5c::1:2\tweb-0 web-0.shop\n# 10.244.1.9 web-0\n\n10.244.1.3 web-1\n"


@pytest.mark.parametrize(("name", "addresses"), [
    ("web-0.shop", ("10.244.1.2", "fd00:5c::1:2")), ("WEB-0.shop.", ("10.244.1.2", "fd00:5c::1:2")), ("web-1", ("10.244.1.3",)), ("first", ()),
    ("web", ()), ("10.244.1.2", ()),
])  # fmt: skip
def test_a_name_has_the_addresses_of_the_hosts_file_in_their_order(name: str, addresses: tuple[str, ...]) -> None:
    assert addresses_of(name, HOSTS) == addresses


def test_an_unknown_name_is_ours_and_says_what_is_known(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text(HOSTS)
    source = Source.located({"netns": str(tmp_path / "squall.load.client"), "etc": str(tmp_path)})
    assert source.addresses("web-1") == ("10.244.1.3",)
    with pytest.raises(NotAsked, match=r"web-9 is no name of the sandbox; write an address, POD, POD.NAMESPACE"):
        source.addresses("web-9")
    with pytest.raises(NotAsked, match="cannot be read"):
        Source(tmp_path, tmp_path / "nowhere").addresses("web-1")


def test_what_is_no_namespace_is_not_entered_and_the_thread_stays_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "squall.load.client").touch()
    before = Path("/proc/thread-self/ns/net").readlink()
    for name, reason in (("squall.load.client", "cannot be entered"), ("nowhere", "there is no network namespace")):
        with pytest.raises(NotAsked, match=reason), Source(tmp_path / name).entered():
            pytest.fail("it went in")
    assert Path("/proc/thread-self/ns/net").readlink() == before
