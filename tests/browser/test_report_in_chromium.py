"""The HTML report as a reader's browser shows it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chromium import Page

from chaos_modules.reports.html.figures import share
from chaos_modules.reports.recorded import Recorded
from chaos_modules.reports.text import count

HOSTILE = "</script><img src=x onerror=\"document.title='owned'\"><b>'\"&amp;{{ 7 * 7 }}\u202e"
STATES: dict[str, dict[str, Any]] = {
    "passed": {}, "failed": {"passed": False, "probes": 5, "panels": 3}, "unhealthy": {"unhealthy": True}, "halted": {"halted": True},
    "interrupted": {"interrupted": True}, "residue": {"residue": True, "failed_targets": 1}, "prometheus unknown": {"unknown": True},
    "no target": {"empty": True}, "no scenario": {"scenarios": 0}, "of before observation": {"observed": False},
    "80 targets": {"targets": 80, "failed_targets": 3, "passed": False}, "many scenarios": {"scenarios": 8, "seconds": 20.0},
    "hostile names": {"hostile": HOSTILE, "passed": False, "unhealthy": True, "halted": True, "failed_targets": 1, "problems": [HOSTILE]},
}
Show = Callable[..., Recorded]
# The contrast of an element's text with all that is painted behind it, as WCAG 2 computes it; within the timeline also where the fault is shaded.
CONTRAST = """(selector => {
  const channel = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
  const parts = text => { const c = (text.match(/[\\d.]+/g) || []).map(Number); return [c[0], c[1], c[2], c[3] ?? 1]; };
  const shade = document.querySelector('.shade.fault');
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3]));
  return Array.from(document.querySelectorAll(selector)).map(e => {
    const layers = [];
    for (let at = e; at; at = at.parentElement) {
      if (at.id === 'lanes' && shade && !layers.some(c => c[3] === 1)) layers.push(parts(getComputedStyle(shade).backgroundColor));
      layers.push(parts(getComputedStyle(at).backgroundColor));
    }
    const back = layers.reverse().reduce((below, top) => over(top, below), [0, 0, 0]);
    const [high, low] = [light(parts(getComputedStyle(e).color)), light(back)].sort((a, b) => b - a);
    return [selector, (high + 0.05) / (low + 0.05)];
  });
})"""
TEXTS = (
    "body", "h1", ".verdict", ".code", ".reasons li", "dt", "dd", ".label", "nav a", ".hint", ".name", ".note", ".sign.good", ".sign.bad",
    ".sign.unknown", ".facts", ".callout span", ".ticks small", ".caption", ".title", "thead th", "td", ".nothing", "pre", "code", "summary",
    ".grid b", ".windows span",
)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_no_request_leaves_the_page_and_nothing_is_complained_of(state: str, dark: bool, page: Page, shown: Show) -> None:
    recorded = shown({"dark": dark}, **STATES[state])
    assert [url for url in page.requests if not url.startswith(("file:///", "data:,"))] == []
    assert len([url for url in page.requests if url.startswith("file:")]) == 1
    assert page.evaluate("performance.getEntriesByType('resource').length") == 0
    assert page.complaints == []
    assert page.texts("#exit-code") == [str(recorded.result["verdict"]["exit_code"])]
    assert page.evaluate("document.querySelectorAll('img, iframe, object, embed, link[rel=stylesheet], [src]').length") == 0


def test_the_policy_of_the_page_would_stop_a_request_and_a_foreign_script(page: Page, shown: Show) -> None:
    shown()
    tried = "new Promise(done => { addEventListener('securitypolicyviolation', e => done(e.violatedDirective)); %s })"
    assert page.evaluate(tried % "fetch('http://127.0.0.1:9/').catch(() => {})") == "connect-src"
    assert page.evaluate(tried % "const i = new Image(); i.src = 'http://127.0.0.1:9/x.png'") == "img-src"
    foreign = "const s = document.createElement('script'); s.textContent = 'document.title = \"owned\"'; document.body.append(s)"
    assert page.evaluate(tried % foreign).startswith("script-src")
    assert page.evaluate("document.title") != "owned"
    assert page.complaints, "the console tells of what was stopped, so the other tests would have seen it"


def test_names_from_a_cluster_stay_text(page: Page, shown: Show) -> None:
    recorded = shown(**STATES["hostile names"])
    assert page.evaluate("document.title").startswith("failed (1)")
    assert page.evaluate("document.querySelectorAll('img').length") == 0
    assert "49" not in page.texts("#fact-cluster")[0]
    assert page.texts("#fact-cluster")[0].endswith("<b>'\"&amp;{{ 7 * 7 }}\\u202e"), "what would turn the text around is spelled out"
    assert page.evaluate("JSON.parse(document.getElementById('result').textContent).cluster") == recorded.result["cluster"]
    assert page.evaluate("JSON.parse(document.getElementById('data').textContent).charts[0].lines[0].label").endswith("\u202e\"}")
    assert page.evaluate("document.querySelector('main').textContent.includes(String.fromCharCode(0x202e))") is False


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("state", STATES)
def test_the_verdict_is_that_of_the_record(state: str, scripts: bool, page: Page, shown: Show) -> None:
    result = shown({"scripts": scripts}, **STATES[state]).result
    targets = [target for scenario in result["scenarios"] for target in scenario["targets"]]
    put = [target for target in targets if target["reverted"] is not None]
    assert page.texts("#verdict-status") == [result["verdict"]["status"]]
    assert page.texts("#exit-code") == [str(result["verdict"]["exit_code"])]
    assert page.texts("#reasons li") == [" ".join(reason.replace("\u202e", "\\u202e").split()) for reason in result["verdict"]["reasons"]]
    assert page.texts("#fact-effect")[0].endswith(f"{sum(one['in_effect'] for one in targets)} of {len(targets)} target{'s' * (len(targets) != 1)}")
    removed = page.texts("#fact-removed")[0]
    clean = sum(bool(one["reverted"]) for one in put)
    assert (f"on {clean} of {len(put)}" in removed) if put else (removed == "nothing was touched")
    assert ("yes" in removed) is (bool(put) and clean == len(put) and not result["residue"])
    assert page.texts("#fact-seed") == [str(result["seed"])]
    assert page.texts("#fact-run") == [result["run_id"]]
    assert page.texts("#rerun")[0].startswith(f"python run_chaos.py run --seed {result['seed']}")


def _measured(one: dict[str, Any]) -> str:
    return f"loss {share(one['value'])} ({share(one['low'])} to {share(one['high'])}), {count(one['samples'])} samples, "


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_every_number_of_the_tables_is_that_of_the_record(scripts: bool, page: Page, shown: Show) -> None:
    result = shown({"scripts": scripts}, targets=30, failed_targets=2, passed=False, unhealthy=True, probes=5, alerts=4).result
    rows = {row[0].split("worker")[0]: row for row in page.rows("table.effects tbody tr")}
    assert len(rows) == 30
    for target in result["scenarios"][0]["targets"]:
        _, requested, in_effect, kernel, peer, packets, reverted, status = rows[target["target"]]
        assert requested == "loss 20%"
        assert (in_effect, reverted) == ("yes" if target["in_effect"] else "× NO", "yes" if target["reverted"] else "× NO")
        assert packets == count(target["traffic"])
        assert target["status"] in status
        for cell, found in ((kernel, target["measured"]), (peer, target["at_peer"])):
            assert cell.startswith(_measured(found["loss"]) if found else "not measured")
    checks = {re.split("(http|command|prometheus|object), ", row[0])[0]: row for row in page.rows("table.checks tbody tr")}
    for check in result["checks"]:
        cell = checks[check["name"]][1 + ("baseline", "fault", "recovery").index(check["phase"])]
        assert f"{share(check['pass_rate'])}{check['good']} of {check['samples']} good" in cell
        assert f"wanted: {check['limit']}" in cell or not check["limit"]
    assert len(checks) * 3 == len(result["checks"])
    alerts = {row[0].split("{")[0]: row for row in page.rows("table.alerts tbody tr")}
    for alert in result["alerts"]:
        told = "unknown" if alert["problem"] else "fired before" if alert["before"] else "fired" if alert["fired"] else "not fired"
        assert told in alerts[alert["name"]][1]
        assert alerts[alert["name"]][5] == ("yes" if alert["counted"] else "no")
    assert len(alerts) == len(result["alerts"]) == 4
    assert page.texts("#score-value") == [str(result["resiliency"]["score"])]
    assert page.texts("#health tbody td.n") == [str(one["status_code"]) for one in result["health"]]


def test_the_second_at_which_the_limit_was_crossed_is_written_out(page: Page, shown: Show) -> None:
    recorded = shown(passed=False)
    crossed = next(check["crossed"] for check in recorded.result["checks"] if check["name"] == "checkout error rate" and check["crossed"])
    second = f"+{crossed - recorded.result['started']:.1f} s"
    assert f"crossed <= 0.01 at {second} (13:39:" in page.texts(".caption")[0]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_has_the_contrast_that_wcag_asks_for(dark: bool, page: Page, shown: Show) -> None:
    seen = 0
    for wishes in ({"passed": False, "unhealthy": True, "problems": ["one"]}, {"unknown": True}, {"empty": True}):
        shown({"dark": dark}, **wishes)
        for selector in TEXTS:
            for name, ratio in page.evaluate(f"{CONTRAST}({selector!r})"):
                seen += 1
                assert ratio >= 4.5, f"{name}: {ratio:.2f}"
    assert seen > 300
    page.evaluate("document.querySelector('.hint').style.color = '#777777'")
    assert page.evaluate(f"{CONTRAST}('.hint')")[0][1] < 4.5, "a grey that is too weak is noticed"
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == ("rgb(21, 23, 26)" if dark else "rgb(253, 253, 252)")


@pytest.mark.parametrize("width", [380, 600, 800, 1100, 1600])
@pytest.mark.parametrize("state", ["failed", "80 targets", "hostile names"])
def test_no_width_makes_the_page_scroll_sideways(state: str, width: int, page: Page, shown: Show) -> None:
    shown({"width": width}, **STATES[state])
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_eighty_targets_fold_to_a_page_that_can_be_read(page: Page, shown: Show) -> None:
    shown({"width": 1280}, **STATES["80 targets"])
    assert page.evaluate("document.documentElement.scrollHeight") < 6000
    names = page.texts("#lanes > details.group > .lane .words")
    assert names == ["pod/shop/web-0", "pod/shop/web-1", "pod/shop/web-2"], "the failed ones are not folded"
    assert page.texts("#lanes > details.group > details > summary") == ["77 targets, all as requested"]


def test_the_curves_are_drawn_and_share_a_cursor_with_the_timeline(page: Page, shown: Show) -> None:
    shown({"width": 1280}, passed=False, panels=2)
    count_them = "document.querySelectorAll('.plot canvas').length"
    drawn = f"new Promise(done => {{ const look = () => {count_them} === 3 ? done(3) : requestAnimationFrame(look); look(); }})"
    assert page.evaluate(drawn) == 3
    place = page.evaluate("(() => { const r = document.querySelector('.backdrop').getBoundingClientRect(); return [r.left, r.width, r.top]; })()")
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=place[0] + place[1] / 2, y=place[2] + 120)
    told = page.texts("#cursor")[0]
    assert told.startswith("+3")
    assert told.endswith("UTC")
    assert len([text for text in page.texts(".readout") if float(text) > 0.02]) == 3, "in the middle of the fault, all three are beyond their limits"
    page.evaluate("document.getElementById('scrub').focus()")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="Home", code="Home", windowsVirtualKeyCode=36)
    assert page.texts("#cursor")[0].startswith("+0 s"), "the cursor goes by keyboard, too"


def test_without_scripts_the_curves_are_there(page: Page, shown: Show) -> None:
    shown({"scripts": False}, passed=False, panels=2)
    assert page.evaluate("Array.from(document.querySelectorAll('.still'), e => getComputedStyle(e).visibility)") == ["visible"] * 3
    assert page.evaluate("document.querySelectorAll('.still .broken polyline').length") >= 3
    assert page.evaluate("document.querySelectorAll('.plot canvas').length") == 0


def test_it_prints_light_with_details_open(page: Page, shown: Show) -> None:
    shown({"dark": True, "media": "print"}, passed=False)
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 30, 34)"
    assert page.evaluate("document.querySelector('details.lines pre').checkVisibility({contentVisibilityAuto: true})") is True
    assert page.evaluate("getComputedStyle(document.querySelector('.plot')).display") == "none"
    assert page.evaluate("getComputedStyle(document.querySelector('.still')).visibility") == "visible"
    assert page.printed().startswith(b"%PDF-")


def test_what_is_seen_is_said_to_those_who_do_not_see(page: Page, shown: Show, tmp_path: Path) -> None:
    shown(passed=False, failed_targets=1)
    named = "e => e.getAttribute('aria-label') || e.querySelector('title').textContent"
    assert page.evaluate(f"Array.from(document.querySelectorAll('svg[role=img]')).every({named})")
    assert page.evaluate("Array.from(document.querySelectorAll('.still')).every(e => e.querySelector('desc').textContent)")
    assert page.evaluate("new Set(Array.from(document.querySelectorAll('[id]'), e => e.id)).size === document.querySelectorAll('[id]').length")
    rows = page.texts("#timeline details.table tbody tr")
    assert any("pod/shop/web-0" in row and "not in effect" in row for row in rows), "the table behind the picture"
