"""For how long a pod may have been running before it was seen to run: what comes after a gap of the watch is of any age up to it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from carrier_cluster import RUNNING, terminated, waiting

from chaos_modules.carriers import sight
from chaos_modules.clusters.kubernetes.api import Change, Object

CREATING = waiting("ContainerCreating")


@pytest.mark.parametrize(
    ("looks", "seconds"),
    [
        ([(0.1, CREATING), (0.6, RUNNING)], 0.6),
        ([(0.1, CREATING), (5.0, RUNNING)], 4.9),
        ([(0.1, CREATING), (5.0, CREATING), (5.5, RUNNING)], 5.4),
        ([(25.0, RUNNING)], 25.0),
        ([(25.0, CREATING), (25.0, RUNNING), (25.0, terminated(0))], 25.0),
        ([(0.1, CREATING), (25.0, CREATING), (25.1, terminated(0)), (60.0, RUNNING)], 25.0),
    ],
)
def test_looks_that_come_together_are_as_old_as_the_gap_before_them(
    monkeypatch: pytest.MonkeyPatch, looks: list[tuple[float, Object]], seconds: float
) -> None:
    moments = iter([0.0, *(moment for moment, _ in looks)])
    monkeypatch.setattr(sight, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    seen = sight.Sight()
    for _, pod in looks:
        seen.show(Change(type="MODIFIED", object=pod))
    assert seen.unseen_seconds == pytest.approx(seconds)
