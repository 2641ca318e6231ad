"""One headless Chromium for all tests here; skipped with the reason where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import Chromium, Page, chromium, program
from records import write_record

from chaos_modules.reports.html import report_page
from chaos_modules.reports.recorded import Recorded


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    if not program():
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    with chromium(tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture
def page(browser: Chromium) -> Page:
    """A tab of its own."""
    return browser.page()


@pytest.fixture
def shown(page: Page, tmp_path: Path) -> Callable[..., Recorded]:
    """`shown(record wishes…, view={…})`: the report of such a record, open in the tab; what it is of."""

    def show(view: dict[str, Any] | None = None, **wishes: Any) -> Recorded:
        recorded = write_record(tmp_path / "record", **wishes)
        path = tmp_path / "report.html"
        path.write_text(report_page(recorded), encoding="utf-8")
        page.prepare(**(view or {}))
        page.open(path)
        return recorded

    return show
