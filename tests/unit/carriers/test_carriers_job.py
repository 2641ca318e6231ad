"""The document that an injector gets."""

from __future__ import annotations

import json

from fakes import RUN_ID, injection, request, target

from chaos_modules.carriers.job import JobSettings, Window, build_job
from chaos_modules.model.impairment import Direction

SETTINGS = JobSettings(run_id=RUN_ID, lease_seconds=10, serial=False, stream=True, on_runner_loss="stop", cleanup="clean up")
WISH = request(directions=(Direction.EGRESS, Direction.INGRESS))
WINDOW = Window(hold_seconds=30.0, deadline=1060.0, latest_start=1020.0)


def built(settings: JobSettings = SETTINGS, window: Window = WINDOW) -> dict[str, object]:
    made = [injection(WISH, target(name), direction=way) for name in ("web-0", "web-1") for way in WISH.directions]
    return build_job(settings, [(one, window) for one in made], lambda aim: {"netns": f"/netns/{aim.name}"})


def test_it_is_json_and_comes_back_as_it_was() -> None:
    job = built()
    assert json.loads(json.dumps(job)) == job


def test_its_head() -> None:
    job = built()
    assert {name: job[name] for name in ("schema", "run", "lease_seconds", "serial", "stream", "on_runner_loss", "cleanup")} == {
        "schema": 1, "run": RUN_ID, "lease_seconds": 10, "serial": False, "stream": True, "on_runner_loss": "stop", "cleanup": "clean up",
    }
    assert built(JobSettings(run_id="x", lease_seconds=3, serial=True, stream=False, on_runner_loss="finish", cleanup=""))["serial"] is True


def test_shared_programs_are_there_once_in_the_order_of_preference() -> None:
    job = built()
    engines = [(program["direction"], program["engine"]) for program in job["programs"]]
    assert engines == [
        ("egress", "blackhole"), ("egress", "netem"), ("egress", "blackhole@postrouting"), ("egress", "nft-drop"),
        ("ingress", "nft-drop"), ("ingress", "ifb+netem"),
    ]
    assert [(item["key"], item["programs"]) for item in job["injections"]] == [
        ("pod/shop/web-0/egress", [0, 1, 2, 3]), ("pod/shop/web-0/ingress", [4, 5]),
        ("pod/shop/web-1/egress", [0, 1, 2, 3]), ("pod/shop/web-1/ingress", [4, 5]),
    ]


def test_each_target_has_its_window_and_is_found_in_its_own_way() -> None:
    first = built(window=Window(hold_seconds=5.0, deadline=99.0, not_before=50.0, latest_start=60.0))["injections"][0]
    assert (first["hold_seconds"], first["deadline"], first["not_before"], first["latest_start"]) == (5.0, 99.0, 50.0, 60.0)
    assert (first["kind"], first["find"], first["device"], first["direction"]) == ("pod", {"netns": "/netns/web-0"}, "eth0", "egress")
    assert built()["injections"][0]["not_before"] is None


def test_lines_are_words_and_scripts() -> None:
    program = built()["programs"][0]
    assert program["setup"][0][:2] == ["tc", "qdisc"]
    assert set(program["setup"][-1]) == {"nft"}
    assert set(program["arm"]) == {"nft"}
