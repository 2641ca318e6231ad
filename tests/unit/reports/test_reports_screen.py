"""The final screen for each way a run can end, as a golden file at 80 and at 160 columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fakes import ARMED, FakeCarrier, FakeCluster, FakeLauncher, FakePeers, Stage, counters, peer_count, plan, request, scenario, target

from chaos_modules.engine.result import result_document
from chaos_modules.engine.run import execute
from chaos_modules.model.impairment import Direction, Impairment, TokenBucket
from chaos_modules.model.plan import Unplannable
from chaos_modules.model.quantities import Rate, Size
from chaos_modules.reports.style import Style
from chaos_modules.reports.table import final_screen
from chaos_modules.reports.text import bits, columns, quantities

PLAIN = Style(False, "utf-8")
HERE, THERE = target("web-0"), target("web-1", "worker-2")


class Interrupted(FakeCarrier):
    def on_start(self) -> None:
        for key in self.keys:
            self.arm(key)
        self.on_stop()


class Leaving(FakeCarrier):
    left = ["nft delete table netdev squall_0badcafe_egress"]


class Weak(FakeCarrier):
    dropped = 500


class Capped(FakeCarrier):
    """A queue that was full for ten seconds at 1 Mbit/s."""

    def finish(self, key: str, status: str = "passed", reason: str = "") -> None:
        for at in (5.0, 15.0):
            queue = {"bytes": int(at * 125_000), "packets": int(at * 100), "backlog": 64_000}
            self.tell("holding", key, at=ARMED + at, counters=counters(5000, **queue))
        super().finish(key, status, reason)


class Idle(FakeCarrier):
    matched, dropped = 500, 90


def result(stage: Stage) -> dict[str, Any]:
    """A run's whole result as the reports get it, with the clock taken out."""
    told: dict[str, Any] = result_document(stage.session.plan, execute(stage.session), "a-run")
    return told


def passed() -> dict[str, Any]:
    peers = FakePeers(
        peer_count(sent=5000, distinct=4000, received=4000), peer_count(sender="shop/web-1", sent=5000, distinct=4010, received=4010),
        peer_count(sender="shop/db-0", sent=123_456, distinct=123_456, received=123_456),
    )
    return result(Stage(plan(scenario(request(), HERE, THERE)), FakeCluster(peers)))


def failed() -> dict[str, Any]:
    both = request(directions=(Direction.EGRESS, Direction.INGRESS))
    return result(Stage(plan(scenario(both, HERE), scenario(request(id="second"), THERE)), launcher=FakeLauncher(Weak, worker_2=Idle)))


def residue() -> dict[str, Any]:
    return result(Stage(plan(scenario(request(), HERE)), FakeCluster(residue=["ip link del dev sq0badcafe"]), FakeLauncher(Leaving)))


def interrupted() -> dict[str, Any]:
    stage = Stage(plan(scenario(request(), HERE)), launcher=FakeLauncher(Interrupted))
    told = result(stage)
    stage.interruption.ask(130)
    return {**told, "verdict": result(stage)["verdict"]}


def no_target() -> dict[str, Any]:
    missing = Unplannable(status="no-target", what="no deployment wbe in namespace shop (nearest: web)", remedy="there are: web")
    empty = replace(scenario(request()), unplannable=missing)
    return result(Stage(plan(empty, scenario(request(id="other"), HERE))))


def lost() -> dict[str, Any]:
    return result(Stage(plan(scenario(request(), HERE, THERE)), launcher=FakeLauncher(worker_2=OSError("no memory"))))


def rate() -> dict[str, Any]:
    bucket = TokenBucket(rate=Rate.parse("1mbit"), burst=Size.parse("32kb"), limit=Size.parse("64kb"))
    wish = request(impairment=Impairment(rate=bucket), requested=(("rate", "1mbit"), ("rate burst", "32kb")))
    peers = FakePeers(peer_count(sent=None, distinct=None, goodput=912_345.0))
    return result(Stage(plan(scenario(wish, HERE)), FakeCluster(peers), FakeLauncher(Capped)))


ENDS = {one.__name__: one for one in (passed, failed, residue, interrupted, no_target, lost, rate)}


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("end", ENDS)
def test_final_screen(end: str, width: int, golden: Callable[[str, str], None]) -> None:
    golden(f"screen-{end}-{width}.txt", final_screen(ENDS[end](), "runs/0badcafe", PLAIN, width))


@pytest.mark.parametrize("end", ENDS)
def test_the_table_fits_into_80_columns(end: str) -> None:
    lines = final_screen(ENDS[end](), "runs/0badcafe", PLAIN, 80).splitlines()
    rows = [line for line in lines if line.startswith(("TARGET", "pod/", "…", "deployment "))]
    assert rows
    assert max(map(len, rows)) <= 80


@pytest.mark.parametrize("end", ENDS)
def test_colour_adds_codes_and_changes_no_word(end: str) -> None:
    told = ENDS[end]()
    coloured = final_screen(told, "r", Style(True, "utf-8"), 80)
    bare = coloured
    for code in ("0", "1", "31", "32"):
        bare = bare.replace(f"\x1b[{code}m", "")
    assert "\x1b[" in coloured
    assert bare == final_screen(told, "r", PLAIN, 80)


def test_ascii_terminals_get_ascii() -> None:
    text = final_screen(no_target(), "runs/→", Style(False, "ascii"), 80)
    assert text.isascii()
    assert "runs/->" in text


def test_the_last_line_says_where_the_record_is_and_the_exit_code() -> None:
    assert final_screen(residue(), "runs/x", PLAIN, 80).splitlines()[-1] == "record  runs/x  run 0badcafe  seed 42  exit 4"


def test_a_program_that_is_not_quite_the_request_is_told() -> None:
    told = passed()
    told["scenarios"][0]["targets"][0]["fidelity"] = "sender-visible"
    assert "  pod/shop/web-0: blackhole is sender-visible" in final_screen(told, "r", PLAIN, 80)


@pytest.mark.parametrize(("value", "text"), [
    (0, "0bit"), (999, "999bit"), (999.6, "1kbit"), (1000, "1kbit"), (1500, "1.5kbit"), (999_400, "999kbit"), (999_999, "1mbit"),
    (1e6, "1mbit"), (1.234e6, "1.23mbit"), (999_999_999, "1gbit"), (2.5e9, "2.5gbit"), (1e12, "1tbit"), (1e13, "10tbit"),
])
def test_bits(value: float, text: str) -> None:
    assert bits(value) == text


def test_quantities() -> None:
    share = {"value": 0.1987, "unit": "share", "judged": "yes"}
    speed = {"value": 1e6, "unit": "bit/s", "judged": "insufficient"}
    assert quantities({}) == ""
    assert quantities({"loss": share}) == "19.9%"
    assert quantities({"loss": share, "rate": speed}) == "loss 19.9%, rate ~1mbit"


def test_columns_shorten_the_path_from_its_beginning() -> None:
    rows = [("TARGET", "A"), ("pod/a-long-namespace/a-long-name", "x")]
    assert columns(rows, 80) == ["TARGET                            A", "pod/a-long-namespace/a-long-name  x"]
    assert columns(rows, 23) == ["TARGET                A", "…mespace/a-long-name  x"]
    assert columns(rows, 5) == ["TARGET        A", "…a-long-name  x"]
