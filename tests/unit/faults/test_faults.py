"""Each fault: its defaults from the seeds, what it does to packets, what it warns of."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from chaos_modules.faults.duplication import Duplication
from chaos_modules.faults.loss import Loss
from chaos_modules.faults.rate_limit import RateLimit
from chaos_modules.faults.registry import described, faults
from chaos_modules.model.impairment import Chance, ClassRate, Delay, Impairment, TokenBucket
from chaos_modules.model.quantities import Duration, Percentage, Rate, Size

HUNDRED = Percentage.parse(100)


def test_every_fault_is_found_by_its_id() -> None:
    assert {"pod-network-duplication", "pod-network-loss", "pod-network-rate-limit"} <= set(faults())
    for name, kind in faults().items():
        assert kind.id == name
        assert kind.summary


def test_every_tunable_has_a_description_and_a_schema() -> None:
    for kind in faults().values():
        schema = kind.model_json_schema()
        json.dumps(schema)
        for name, field in schema["properties"].items():
            assert name.isupper()
            assert field["description"].endswith(".")
            assert "default" in field


def test_duplication_defaults() -> None:
    assert Duplication().impairment() == Impairment(duplicate=Chance(percentage=HUNDRED))
    assert Duplication().notices() == ()


def test_duplication() -> None:
    fault = Duplication.model_validate({"NETWORK_PACKET_DUPLICATION_PERCENTAGE": "50%", "CORRELATION": 25})
    assert fault.impairment() == Impairment(duplicate=Chance(percentage=Percentage.parse(50), correlation=Percentage.parse(25)))
    assert Duplication(correlation=Percentage.parse(5)).notices() == ("CORRELATION changes nothing when every packet is duplicated",)


def test_loss() -> None:
    assert Loss().impairment() == Impairment(loss=Chance(percentage=HUNDRED))
    fault = Loss.model_validate({"NETWORK_PACKET_LOSS_PERCENTAGE": 0.5, "CORRELATION": "10"})
    assert fault.impairment() == Impairment(loss=Chance(percentage=Percentage.parse("0.5"), correlation=Percentage.parse(10)))
    assert fault.notices() == ()
    assert Loss(correlation=Percentage.parse(5)).notices()


def test_rate_limit_defaults_and_their_queueing_delay() -> None:
    fault = RateLimit()
    assert fault.impairment() == Impairment(rate=TokenBucket(rate=Rate(10**6), burst=Size(32 * 1024), limit=Size(2 * 1024**2)))
    assert fault.notices() == ("1mbit with a 2mb queue (LIMIT) holds 16.8 s of traffic",)


def test_rate_limit_with_two_buckets() -> None:
    fault = RateLimit.model_validate({
        "NETWORK_BANDWIDTH": "10mbit", "BURST": "64kb", "LIMIT": "256kb", "MIN_BURST": 1540, "PEAK_RATE": "20mbit",
    })
    assert fault.impairment().rate == TokenBucket(
        rate=Rate.parse("10mbit"), burst=Size.parse("64kb"), limit=Size.parse("256kb"), minimum_burst=Size(1540), peak_rate=Rate.parse("20mbit"),
    )
    assert fault.notices() == ()


@pytest.mark.parametrize(("tunables", "notice"), [
    ({"NETWORK_BANDWIDTH": "1gbit"}, "BURST 32kb may keep 1gbit from being reached; 500000b or more is safe"),
    ({"MIN_BURST": 1540, "LIMIT": "32kb"}, "MIN_BURST has no effect without PEAK_RATE"),
])
def test_rate_limit_notices(tunables: dict[str, object], notice: str) -> None:
    assert RateLimit.model_validate(tunables).notices() == (notice,)


def test_a_wrong_rate_does_not_hide_what_is_wrong_with_the_peak() -> None:
    with pytest.raises(ValidationError) as caught:
        RateLimit.model_validate({"NETWORK_BANDWIDTH": "x", "PEAK_RATE": "1mbit"})
    assert [error["loc"] for error in caught.value.errors()] == [("NETWORK_BANDWIDTH",), ("PEAK_RATE",)]


def test_what_is_shown_of_an_impairment() -> None:
    assert described(Impairment(
        delay=Delay(latency=Duration.parse("100ms"), jitter=Duration.parse("10ms")), rate=ClassRate(rate=Rate.parse("1mbit")), approximate=True,
    )) == (("delay", "100ms"), ("delay jitter", "10ms"), ("rate", "1mbit"))
    assert described(RateLimit().impairment()) == (("rate", "1mbit"), ("rate burst", "32kb"), ("rate limit", "2mb"))
