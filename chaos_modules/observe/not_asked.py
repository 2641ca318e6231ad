"""Why something of the system is not known: we could not ask. Where the system does not answer, that is an answer."""

from __future__ import annotations


class NotAsked(Exception):
    """It is ours: a source that is gone, a file that cannot be read, a program that is not there. The text is one sentence without secrets."""
