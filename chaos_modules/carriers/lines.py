"""What an injector writes, one line at a time."""

from __future__ import annotations

import json
from typing import Any


def event_in(line: str) -> dict[str, Any] | None:
    """One line of the injector as an event; None for anything else, such as what a library printed."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None
