"""The HTTP probe: status and body, and the seconds until the answer was complete."""

from __future__ import annotations

import time
from contextlib import nullcontext

from ...model.observation import Sample
from ...model.probe import HttpProbe
from ..http_exchange import Answer, NoAnswer, exchange
from ..network_namespace import Source
from ..not_asked import NotAsked


def ask_http(probe: HttpProbe, timeout: float, source: Source | None = None) -> Sample:
    """Ask once. `seconds` is the time to the last byte over a fresh connection, of every complete answer, good or bad.

    Redirects are followed as `requests` does, within the deadline, unless a status of 300 to 399 is expected: then the redirect is the answer.
    `body_contains` is looked for in the first MiB, as UTF-8. The sample is bad where the other end refuses or is too late, and unknown (`good` None)
    where we could not ask. Its time is when it was asked.
    """
    asked = time.time()
    follow = not any(300 <= status < 400 for status in probe.expected_status)
    try:
        with source.entered() if source else nullcontext():
            answer = exchange(probe.connection, timeout, method=probe.method, follow=follow, resolve=source.addresses if source else None)
    except NoAnswer as reason:
        return Sample(time=asked, good=False, detail=str(reason))
    except NotAsked as reason:
        return Sample(time=asked, good=None, detail=str(reason))
    wrong = _wrong(probe, answer)
    return Sample(time=asked, good=not wrong, seconds=answer.seconds, detail=wrong)


def _wrong(probe: HttpProbe, answer: Answer) -> str:
    if answer.status not in probe.expected_status:
        return f"status {answer.status}"
    wanted = probe.body_contains
    return "" if wanted.encode() in answer.body else f"status {answer.status}, without the expected text in the body"
