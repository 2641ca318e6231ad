"""The sandbox's end of the process that is the virtual machines' network cards."""

from __future__ import annotations

from pathlib import Path

from .child import Child
from .cleanup import CARDS_MODULE
from .layout import Layout
from .network import TAP


class Cards(Child):
    """One process for the cards of all virtual machines."""

    def __init__(self, layout: Layout, state_directory: Path) -> None:
        super().__init__("the virtual machines' process", CARDS_MODULE, state_directory)
        self._cards = [[[launcher.netns_path, TAP], [inside.netns_path, "eth0"]] for inside, launcher in layout.machine_places()]

    def start(self) -> None:
        """Plug them in."""
        answer = self.ask(self._cards)
        if "error" in answer:
            raise self.problem(f"cannot open the taps: {answer['error']}")
